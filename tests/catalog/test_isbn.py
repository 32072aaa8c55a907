"""Normalization of ISBNs."""

import pytest

from catalog.isbn import find_isbn, normalize_isbn


@pytest.mark.parametrize(
    "spelling",
    [
        "9780306406157",
        "978-0-306-40615-7",
        "978 0 306 40615 7",
        "978‐0–306—40615−7",
        "９７８０３０６４０６１５７",
        "\u200e978-0-306-40615-7\u202c",
        "0306406152",
        "0-306-40615-2",
        "ISBN 0-306-40615-2",
        "ISBN-13: 978-0-306-40615-7",
        "isbn:9780306406157",
        " 9780306406157\t",
        "ISBN-13 978-0-306-40615-7",
        "ISBN-10 0-306-40615-2",
        "ISBN10: 0306406152",
        "ISBN 13 : 9780306406157",
        "isbn13 9780306406157",
        "ISBN\u201113 978\u20110\u2011306\u201140615\u20117",
        "eISBN 978-0-306-40615-7",
        "EAN 9780306406157",
        '="9780306406157"',
        "'0306406152",
        "306406152",
        "306-40615-2",
        "ISBN 306406152",
        "ISBN-10: 306406152",
        "٩٧٨٠٣٠٦٤٠٦١٥٧",
        "۹۷۸-۰-۳۰۶-۴۰۶۱۵-۷",
        "९७८०३०६४०६१५७",
        "๐๓๐๖๔๐๖๑๕๒",
        "9780306406157 (pbk.)",
        "978-0-306-40615-7 (capa dura)",
        "0306406152 (v. 1) [broch.].",
        "9780306406157.",
        "9780306406157,",
        "978-0-306-40615-7 ;",
        "ISBN (13) 9780306406157",
        "ISBN(10): 0306406152",
        "urn:isbn:9780306406157",
        "URN:ISBN:0-306-40615-2",
        "ISBN nº 978-0-306-40615-7",
        "ISBN n° 9780306406157",
        "ISBN n.º 9780306406157",
        "ISBN № 9780306406157",
        "ISBN número: 9780306406157",
        "ISBN Nr. 9780306406157",
        "ISBN no. 9780306406157",
        "e-ISBN: 9780306406157",
        "p-ISBN 9780306406157",
    ],
)
def test_spellings_are_normalized(spelling: str) -> None:
    assert normalize_isbn(spelling) == "9780306406157"


@pytest.mark.parametrize("spelling", ["080442957X", "0-8044-2957-x", "9780804429573"])
def test_check_digit_x_in_either_case(spelling: str) -> None:
    assert normalize_isbn(spelling) == "9780804429573"


@pytest.mark.parametrize(("spelling", "isbn13"), [("ISBN 1000000001", "1000000001"), ("ISBN 1311111115", "1311111115")])
def test_number_that_starts_like_a_label_is_kept(spelling: str, isbn13: str) -> None:
    assert normalize_isbn(spelling) == normalize_isbn(isbn13)


def test_zero_before_check_digit_x_is_restored() -> None:
    assert normalize_isbn("80442957X") == "9780804429573"


def test_prefix_979_is_valid() -> None:
    assert normalize_isbn("979-10-90636-07-1") == "9791090636071"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X",
        "9780306406158",
        "0306406153",
        "978030640615",
        "306406153",
        "03784371",  # an ISSN
        "ISBN-13",
        "ISBN-14 9780306406157",
        "ISBN-13 ISBN-13 9780306406157",
        "97803064061577",
        "4006381333931",  # a pen
        "9790260000438",  # sheet music
        "978-0-306-40615-X",
        "97803O6406157",
        "9780306406157 and more",
        "(9780306406157) 2",
        "(pbk.)",
        "ISBN nothing 9780306406157",
        "0000000000",
        "1111111111",
        "9999999999",
        "111111111",
        "123456789",
        "123456789X",
        "0123456789",
        "9876543210",
        "978-1-111-11111-1",
        "9780000000002",
        "9781234567897",
        "9799999999990",
        "٤٤٤٤٤٤٤٤٤٤",
        "٩٧٨",
        "9" * 5000,
        "9780306406157\x00\x00" + "1",
    ],
)
def test_invalid_isbn_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISBN|number"):
        normalize_isbn(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("978-65-80309-31-3", ""),
        ("ISBN 9786580309313 (pbk)", ""),
        ("torto 978-65-80309-31-3", "torto"),
        ("978 65 80309 31 3 torto arado", "torto arado"),
        ("torto ISBN-13: 978-65-80309-31-3 arado", "torto arado"),
        ("torto (ISBN 9786580309313)", "torto ( )"),
        ("2001 9786580309313", "2001"),
        ("9786580309313 2001", "2001"),
        ("تورتو ٩٧٨٦٥٨٠٣٠٩٣١٣", "تورتو"),
        ("९७८६५८०३०९३१३ टोर्टो", "टोर्टो"),
        ("torto 6580309318", "torto"),
        ("torto urn:isbn:9786580309313", "torto"),
    ],
)
def test_isbn_is_found_among_words(text: str, rest: str) -> None:
    found = find_isbn(text)
    assert found is not None
    assert (found[0], " ".join(found[1].split())) == ("9786580309313", rest)


@pytest.mark.parametrize(
    "text",
    ["torto arado", "1984", "20000 9786580309314", "1 2 3 4 5 6 7 8 9 zzz", "torto 97865803093131", "x9786580309313"],
)
def test_no_isbn_is_found_in_other_numbers(text: str) -> None:
    assert find_isbn(text) is None
