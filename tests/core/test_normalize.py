"""Normal forms: which marks are accents, and what a word is, in many scripts."""

import pytest

from core.search.fields import build_search_text, query_terms
from core.search.normalize import fold_case_and_accents, is_blank, split_words

SAME = {
    "Portuguese": ("São João", "sao joao"),
    "Turkish": ("İSTANBUL ışığı", "istanbul isigi"),
    "Vietnamese": ("Nguyễn Ái Quốc", "nguyen ai quoc"),
    "Polish": ("Łódź", "lodz"),
    "Greek": ("Ὀδύσσεια", "ΟΔΥΣΣΕΙΑ"),
    "Greek, final sigma": ("Όμηρος", "ΟΜΗΡΟΣ"),
    "Greek, iota subscript": ("ᾠδὴ τοῦ ᾍδου", "ωδή του Άδου"),
    "Russian": ("Фёдор", "Федор"),
    "Russian with stress": ("За́мок", "Замок"),
    "Bulgarian": ("ѝ", "и"),
    "Hebrew points": ("שָׁלוֹם", "שלום"),
    "Hebrew presentation forms": ("\ufb2a\ufb35", "\u05e9\u05d5"),
    "Arabic harakat": ("مُحَمَّد", "محمد"),
    "Arabic tatweel": ("كتـــاب", "كتاب"),
    "Persian with a joiner": ("می\u200cخواهم", "میخواهم"),
    "Japanese, half width": ("ｶﾞｷﾞ", "ガギ"),
    "Japanese, decomposed": ("か\u3099き", "がき"),
    "Korean, decomposed": ("\u1112\u1161\u11ab\u1100\u1161\u11bc", "한강"),
    "Chinese, full width": ("１９８４", "1984"),
    "Hindi, two encodings": ("\u0958\u0932\u092e", "\u0915\u093c\u0932\u092e"),
    "Malayalam, older chillu": ("അവന്\u200d", "അവൻ"),
    "Bengali, older khanda ta": ("হঠাত্\u200d", "হঠাৎ"),
    "soft hyphen": ("Hob\u00adbit", "Hobbit"),
    "zero-width space": ("Hob\u200bbit", "Hobbit"),
    "byte order mark": ("\ufeffHobbit", "Hobbit"),
    "word joiner": ("Hob\u2060bit", "Hobbit"),
    "direction marks": ("\u200eHobbit\u202c", "Hobbit"),
}
DIFFERENT = {
    "Japanese, voiced": ("かぎ", "かき"),
    "Japanese, half voiced": ("パン", "ハン"),
    "Hindi, vowel": ("कमल", "कोमल"),
    "Hindi, nukta": ("राज", "राज़"),
    "Hindi, virama": ("सत्य", "सतय"),
    "Bengali": ("কলা", "কালা"),
    "Tamil": ("கடல்", "கூடல்"),
    "Telugu": ("కల", "కళ"),
    "Malayalam": ("മല", "മാല"),
    "Thai, vowel": ("กีฬา", "กาฬ"),
    "Thai, tone": ("ไม้", "ไม"),
    "Khmer": ("កា", "កុ"),
    "Russian": ("май", "маи"),
    "Ukrainian": ("їжа", "іжа"),
    "Belarusian": ("воўк", "воук"),
    "Macedonian": ("ќе", "ке"),
    "Arabic, hamza": ("سأل", "سال"),
    "Arabic, madda": ("آن", "ان"),
    "Korean": ("한강", "항강"),
    "Chinese": ("紅樓夢", "红楼梦"),
    "Hebrew": ("שלום", "שלם"),
    "Greek": ("νόμος", "νομοί"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_accents_and_invisible_characters_are_folded(one: str, other: str) -> None:
    assert fold_case_and_accents(one) == fold_case_and_accents(other)
    assert split_words(one) == split_words(other)
    assert query_terms(one) == query_terms(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_letters_are_not_folded(one: str, other: str) -> None:
    assert fold_case_and_accents(one) != fold_case_and_accents(other)
    assert split_words(one) != split_words(other)
    assert query_terms(one) != query_terms(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Hitchhiker’s Guide", "the hitchhikers guide"),
        ("м'ята, мʼята", "мята мята"),
        ("Qurʾān; Hawaiʻi", "quran hawaii"),
        ("ג׳ירפה ג'ירפה", "גירפה גירפה"),
        ("J.R.R. Tolkien", "jrr tolkien"),
        ("J. R. R. Tolkien", "jrr tolkien"),
        ("Л. Н. Толстой", "лн толстой"),
        ("P.S. I Love You", "ps i love you"),
        ("U.S.A", "usa"),
        ("Mrs. Dalloway", "mrs dalloway"),
        ("Jean M. Auel", "jean m auel"),
        ("A. The End", "a the end"),
        ("Catch\u201122", "catch 22"),
        ("C, C++, C# and C♯", "c cplusplus csharp and csharp"),
        ("C++17, C#7", "cplusplus 17 csharp 7"),
        ("Vol. #1+", "vol 1"),
        ("कोमल कमल", "कोमल कमल"),
        ("snake_case", "snake case"),
        ("???", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert split_words(text) == words.split()


@pytest.mark.parametrize("query", ["hitchhikers", "hitchhiker's", "hitchhiker s", "hitchhiker"])
def test_search_text_has_both_forms_of_apostrophes(query: str) -> None:
    stored = build_search_text(["The Hitchhiker’s Guide"]).split()
    assert all(any(word.startswith(term) for word in stored) for term in query_terms(query))


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("J K Rowling", ["J.K. Rowling", "jk rowling", "j k rowling"]),
        ("J・K・ローリング", ["JK ローリング", "J.K.ローリング"]),
        ("Col·lecció", ["colleccio", "col·lecció", "Co\u0140lecció"]),
        ("בית־ספר", ["בית ספר", "ביתספר", "ספר"]),
        ("कक्षा-गीत", ["कक्षागीत", "गीत"]),
        ("می\u200cخواهم", ["می خواهم", "میخواهم", "می\u200cخواهم"]),
        ("ផ្កា\u200bស្រពោន", ["ស្រពោន", "ផ្កាស្រពោន"]),
        ("Pride＆Prejudice", ["pride and prejudice", "pride & prejudice"]),
    ],
)
def test_search_text_has_parts_and_whole_words(text: str, queries: list[str]) -> None:
    stored = build_search_text([text]).split()
    for query in queries:
        assert all(any(word.startswith(term) for word in stored) for term in query_terms(query)), query


@pytest.mark.parametrize(
    "text",
    [
        *("", " \t\u3000", "\u200b\ufeff", "\u115f\u1160\u3164\uffa0", "\u2800", "\ufe0f", "\U000e0100\U000e01ef"),
        *("\u180b\u180f", "\u17b4\u17b5", "\U000e0001\U000e0041", "\U0001d159\U0001d173", "\u034f\u00ad"),
    ],
    ids=ascii,
)
def test_invisible_text_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize(
    "text", ["។", "\u0300", "ក\u17b4", "\u1820\u180b", "♪", "葛\U000e0100", "👩\u200d👧", "."], ids=ascii
)
def test_visible_text_is_not_blank(text):
    assert not is_blank(text)
