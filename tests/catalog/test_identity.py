"""Which titles and names mean the same work."""

import pytest

from catalog.duplicate_keys import work_key
from catalog.identity import WorkTitle, author_key, only_match
from catalog.models import title_sort_key

SAME = [
    ("The Hitchhiker's Guide", "The Hitchhiker’s Guide (Hitchhiker's Guide, #1)"),
    ("Finnegans Wake", "Finnegan’s Wake"),
    ("Ender`s Game", "Enderʼs Game"),
    ("Catch-22", "Catch 22"),
    ("Catch-22", "Catch\u201122"),
    ("Slaughterhouse–Five", "Slaughterhouse Five"),
    ("Mrs. Dalloway", "Mrs Dalloway"),
    ("Do Androids Dream?", "Do Androids Dream"),
    ("¿Quién?", "Quién"),
    ("Pride and Prejudice", "Pride & Prejudice"),
    ("Crime & Castigo", "Crime e Castigo"),
    ("Krieg und Frieden", "Krieg&Frieden"),
    ("Pride＆Prejudice", "Pride and Prejudice"),
    ("Mr. & Mrs. Smith", "Mr. and Mrs. Smith"),
    ("राधा & कृष्ण", "राधा and कृष्ण"),
    ("The Hobbit", "Hobbit"),
    ("Alienista", "O Alienista"),
    ("The Hobbit", "O Hobbit"),
    ("La Peste", "A Peste"),
    ("L'Étranger", "Étranger"),
    ("L’étranger", "L'ÉTRANGER"),
    ("Guards! Guards!", "Guards! Guards! (Discworld, Book 11)"),
    ("Guards! Guards!", "Guards! Guards! (Discworld #8; City Watch, #1)"),
    ("Guards! Guards! (Discworld, #8)", "Guards! Guards! (Discworld #8; City Watch, #1)"),
    ("Divergent", "Divergent (Divergent, #1)"),
    ("Jogos Vorazes", "Jogos Vorazes (Trilogia Jogos Vorazes, Livro 1)"),
    ("Foundation", "Foundation (Foundation (Publication Order) #1)"),
    ("Eldest", "Eldest (The Inheritance Cycle)"),
    ("Sapiens", "Sapiens: A Brief History of Humankind"),
    ("Sapiens", "Sapiens – Uma breve história da humanidade"),
    ("Quarto de Despejo", "Quarto de Despejo: Diário de uma Favelada"),
    ("Moby Dick", "Moby-Dick; or, The Whale"),
    ("1984", "1984: A Novel"),
    ("P.S. I Love You", "PS I Love You"),
    ("Hob\u00adbit", "Hob\u200bbit"),
    ("Cem anos de solidao", "Cem Anos de Solidão"),
    ("Avo", "Avó"),
    ("Hoà bình", "Hòa bình"),
    ("Ὀδύσσεια", "ΟΔΥΣΣΕΙΑ"),
    ("Ёлка", "Елка"),
    ("ÇİÇEK", "Çiçek"),
    ("שָׁלוֹם", "שלום"),
    ("ＡＫＩＲＡ", "Akira"),
    ("C++ Primer", "c++ primer"),
    ("The E-Myth Revisited", "E-Myth Revisited"),
    ("The Y Factor", "Y Factor"),
    ("O E-Mail Perdido", "E-mail Perdido"),
    ("Hobbit, The", "The Hobbit"),
    ("Hora da Estrela, A", "A hora da estrela"),
    ("Lusíadas, Os (Clássicos, #4)", "Lusíadas"),
    ("Étranger, L’", "L'Étranger"),
    ("Verwandlung, Die", "Die Verwandlung"),
    ("LEGO® Book", "LEGO Book"),
    ("I♥You", "I ♥ You"),
    ("Despre București", "Despre Bucureşti"),
    ("Thuý Kiều", "Thúy Kiều"),
    ("Νόμος", "ΝΟΜΟΣ"),
    ("Ἡ ζωὴ ἐν τάφῳ", "Η ζωή εν τάφω"),
    ("三体 IIx", "三体IIx"),
    ("ハリー・ポッター", "ハリーポッター"),
    ("ﾊﾘｰ･ﾎﾟｯﾀｰ", "ハリー ポッター"),
    ("ノルウェイの森 上", "ノルウェイの森（上）"),
]
SAME_SERIES = [
    ("Atonement (A Series of Novels)", "Atonement"),
    ("Silmarillion, The (Middle-Earth Universe)", "The Silmarillion (Middle-Earth Universe)"),
    ("Título (Coleção, #1.0)", "Título (Coleção, #1)"),
    ("Tears of the Giraffe (No. 1 Ladies' Detective Agency, #2)", "Tears of the Giraffe"),
    ("Tears of the Giraffe (No. 1 Ladies' Detective Agency, Book 2)", "Tears of the Giraffe"),
    ("Fundação (Fundação, Livro I)", "Fundação (Fundação, #1)"),
    ("Titel (Reihe, Band 1)", "Titel"),
    ("Harry Potter à l’école des sorciers (Harry Potter, tome 1)", "Harry Potter à l'école des sorciers"),
    ("Ведьмак (Ведьмак, №1)", "Ведьмак"),
    ("Метро 2033 (Метро, книга 1)", "Метро 2033 (Метро #1)"),
    ("Cien años (Serie X, nº 3)", "Cien años (X, n.º 3)"),
    ("三体（地球往事，#1）", "三体 (地球往事 #1)"),
    ("三体（三体 #1）", "三体"),
    ("賢者の石（ハリー・ポッター、#１）", "賢者の石 (ハリーポッター #1)"),
    ("죽음 (시리즈, #1)", "죽음"),
    ("Red Rising (Red Rising Saga, #1)", "Red Rising (Red Rising Trilogy #01)"),
    ("Dune (Dune Chronicles, #1)", "Dune [Dune #1]"),
    ("Foundation (Foundation (Publication Order) #1)", "Foundation (The Foundation, Book 1)"),
    ("Night Play (Dark-Hunter #5, Were-Hunter #1)", "Night Play (Were-Hunter, #1)"),
    ("Wolf & Hound (Wolf & Hound, #1)", "Wolf and Hound"),
    ("To Green Angel Tower, Part 2 (Memory, Sorrow, and Thorn, #3; Part 2)", "To Green Angel Tower, Part 2"),
    ("Emma (Vintage Classics Series)", "Emma"),
]
DIFFERENT = [
    ("Avó", "Avô"),
    ("Má", "Mà"),
    ("The Girl", "A Girl"),
    ("O Homem", "Um Homem"),
    ("Saga (Saga, #1)", "Saga (Saga, #2)"),
    ("Saga", "Saga (Saga, #2)"),
    ("The Hunger Games", "The Hunger Games (The Hunger Games, #1-3)"),
    ("Henry IV, Part 1", "Henry IV, Part 2"),
    ("Henry IV", "Henry IV (Part 1)"),
    ("War and Peace", "War and Peace (Volume 1)"),
    ("Maus I", "Maus II"),
    ("1984", "1985"),
    ("Olympics 2012", "Olympics 2016"),
    ("Red Rising", "Red Rising (a sequel)"),
    ("The Lord of the Rings", "The Lord of the Rings: The Two Towers"),
    ("O Senhor dos Anéis", "O Senhor dos Anéis: A Sociedade do Anel"),
    ("Sherlock Holmes", "Sherlock Holmes: Um Estudo em Vermelho"),
    ("A Song of Ice and Fire", "A Song of Ice and Fire: A Game of Thrones"),
    ("Star Wars", "Star Wars: Aftermath"),
    ("Sapiens", "Sapiens: A Graphic History, Volume 1"),
    ("Sapiens: A Brief History of Humankind", "Sapiens: A Graphic History"),
    ("C", "C++"),
    ("C", "C#"),
    ("C++", "C#"),
    ("C 17", "C++17"),
    ("???", "!!!"),
    ("The ???", "The !!!"),
    ("O ...", "O !"),
    ("Google+", "Google"),
    ("50+", "50"),
    ("100%", "100"),
    ("A*", "A"),
    ("I ♥ You", "I You"),
    ("I ♥ NY", "I ☠ NY"),
    ("Plan E Book", "Plan Y Book"),
    ("Sabiá", "Sábia"),
    ("El Público", "El Publicó"),
    ("Médico", "Medicó"),
    ("Νόμος", "Νομός"),
    ("Ωμός", "Ώμος"),
    ("Humans of New York", "Humans of New York: Stories"),
    ("Drummond", "Drummond: Poemas"),
    ("Clarice", "Clarice: Contos"),
    ("三体I", "三体II"),
    ("&", "And"),
    ("E", "&"),
    ("??? & !!!", "And"),
    ("かぎ", "かき"),
    ("ノルウェイの森 (上)", "ノルウェイの森 (下)"),
    ("紅樓夢（上）", "紅樓夢（下）"),
    ("कमल", "कोमल"),
    ("கடல்", "கூடல்"),
    ("กีฬา", "กาฬ"),
    ("май", "маи"),
    ("їжа", "іжа"),
    ("سأل", "سال"),
    ("소년", "소녀"),
]
# Books of one author, half of them in goodbooks-10k.
DIFFERENT_SERIES = [
    ("Essays (First Series)", "Essays (Second Series)"),
    ("Contos (Primeira Série)", "Contos (Segunda Série)"),
    ("Poemas (Saga Um)", "Poemas (Saga Dois)"),
    ("Poems (Saga A)", "Poems (Saga B)"),
    ("Title (Series Name, #1 (i))", "Title (Series Name, #1 (ii))"),
    ("Title (Series Name, #1.0)", "Title (Series Name, #1.5)"),
    ("Gedichte (Erste Serie)", "Gedichte (Zweite Serie)"),
    ("Avatar: The Last Airbender (The Promise, #1)", "Avatar: The Last Airbender (The Search, #1)"),
    ("Avatar: The Last Airbender (The Rift, #1)", "Avatar: The Last Airbender (Smoke and Shadow, #1)"),
    ("Harry Potter and the Order (Harry Potter, #5)", "Harry Potter and the Order (Harry Potter, #5, Part 1)"),
    ("Magician: Apprentice (The Riftwar Saga, #1)", "Magician: Apprentice (Feist's Magician: Apprentice #1)"),
    ("The Hedge Knight (The Tales of Dunk and Egg, #1)", "The Hedge Knight (Dunk and Egg Graphic Novel, #1)"),
    ("A Song of Ice and Fire (A Song of Ice and Fire, #1-4)", "A Song of Ice and Fire (A Song of Ice and Fire, #1-5)"),
    ("Storm (Song, #3: Part 1 of 2)", "Storm (Song, #3: Part 2 of 2)"),
    ("Storm (Song, #3; Part 2)", "Storm (Song, #3)"),
    ("Буря (Песнь, #3, часть 1)", "Буря (Песнь, #3, часть 2)"),
    ("Tempestade (Crônicas, #3, Parte I)", "Tempestade (Crônicas, #3, Parte II)"),
    ("Box (Song, #1A)", "Box (Song, #1B)"),
    ("Box (Song, #1.5)", "Box (Song, #1-5)"),
    ("Imajica (Imajica Part #1/2)", "Imajica (Imajica Part #2/2)"),
    ("Monster (Monster, #1)", "Monster (Monster: Kanzenban, #1)"),
    ("Sherlock (Vol. 1, #2)", "Sherlock (Vol. 2, #2)"),
    ("Sherlock (Series 1)", "Sherlock (Series 2)"),
    ("Foundation (Book 1 of the Saga)", "Foundation (Book 2 of the Saga)"),
    ("Les Misérables", "Les Misérables (Les Misérables, tome 1)"),
    ("Война и мир (Война и мир, том 1)", "Война и мир"),
    ("三体（三体、#1）", "三体（三体、#2）"),
    ("三体", "三体（三体、#2）"),
    ("The List (The Book I Read)", "The List"),
]


@pytest.mark.parametrize(("one", "other"), SAME + SAME_SERIES)
def test_spellings_of_a_title_match(one: str, other: str) -> None:
    first, second = WorkTitle.parse(one), WorkTitle.parse(other)
    assert first.key == second.key
    assert first.matches(second)
    assert second.matches(first)


@pytest.mark.parametrize(("one", "other"), DIFFERENT + DIFFERENT_SERIES)
def test_titles_of_different_works_do_not_match(one: str, other: str) -> None:
    first, second = WorkTitle.parse(one), WorkTitle.parse(other)
    assert not first.matches(second)
    assert not second.matches(first)
    assert first.matches(first)


@pytest.mark.parametrize(
    ("title", "others", "index"),
    [
        ("Naruto", ["Naruto (Naruto, #2)", "Naruto (Naruto, #1)"], 1),
        ("Avo", ["Avó", "Avô"], None),
        ("Avô", ["Avó", "Avo", "Avô"], 2),
        ("Girl", ["The Girl", "A Girl"], None),
        ("Emma", ["The Emma", "Emma", "emma"], 1),
        ("Preludes", ["Preludes (The Sandman, #1)", "Preludes (Piano, #2)"], None),
        ("Emma", [], None),
    ],
)
def test_ambiguous_titles_match_nothing(title: str, others: list[str], index: int | None) -> None:
    assert only_match(WorkTitle.parse(title), list(map(WorkTitle.parse, others))) == index


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hobbit, The", "The Hobbit (Middle-earth, #0)"),
        ("Lusíadas, Os", "OS LUSIADAS"),
        ("ハリー・ポッター", "ハリーポッター"),
        ("The E-Myth", "E-Myth"),
    ],
)
def test_likely_duplicates_share_a_key(one: str, other: str) -> None:
    assert work_key(one, ["Else, Someone, Jr."]) == work_key(other, ["Someone Else, Jr."])


@pytest.mark.parametrize(
    "names",
    [
        ("J.R.R. Tolkien", "J. R. R. Tolkien", "JRR Tolkien", "Tolkien, J.R.R.", "tolkien, j. r. r."),
        ("José Saramago", "JOSE SARAMAGO", "Saramago, José", "José\u00a0Saramago"),
        ("Flann O’Brien", "Flann O'Brien", "O'Brien, Flann"),
        ("Saint-Exupéry", "Saint Exupery"),
        ("村上 春樹", "村上春樹"),
        ("Someone Else, Jr.", "Someone Else Jr", "Else, Someone, Jr."),
        ("Martin Luther King, Jr.", "King, Martin Luther, Jr.", "King, Mártin Luther, JR"),
    ],
)
def test_spellings_of_a_name_have_one_key(names: tuple[str, ...]) -> None:
    assert len(set(map(author_key, names))) == 1


def test_keys_of_different_names_differ() -> None:
    names = ["Someone Else", "Someone Else, Jr.", "Май", "Маи", "かぎ", "かき", "कमल", "कोमल", "!!!", "???"]
    assert len(set(map(author_key, names))) == len(names)


@pytest.mark.parametrize(
    ("title", "language", "key"),
    [
        ("The Hobbit", "", "hobbit"),
        ("A Hora da Estrela", "", "hora da estrela"),
        ("An Eye", "en", "eye"),
        ("“The Stand”", "en-gb", "stand”"),
        ("The “Genius”", "en", "genius”"),
        ("Os Sertões", "pt-br", "sertoes"),
        ("Uma Aprendizagem", "pt", "aprendizagem"),
        ("As Meninas", "", "meninas"),
        ("As I Lay Dying", "", "as i lay dying"),
        ("As I Lay Dying", "en", "as i lay dying"),
        ("As Três Marias", "pt", "tres marias"),
        ("O Pioneers!", "en", "o pioneers!"),
        ("A Sangre Fría", "es", "a sangre fria"),
        ("Theory", "", "theory"),
        ("The", "", "the"),
        ("A", "pt", "a"),
        ("???", "", "???"),
    ],
)
def test_sort_key_passes_over_the_article(title: str, language: str, key: str) -> None:
    assert title_sort_key(title, language) == key
