"""Codes of languages."""

import re

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

INVALID_LANGUAGE_MESSAGE = _("Enter a valid language tag, such as en or pt-BR.")

# ISO 639-2 (both forms, `fre` and `fra`) to ISO 639-1, for every language that has a two-letter code: BCP 47 requires
# the shorter one. Other three-letter codes are valid tags. Old library records still use the retired codes `scc`, `scr`
# and `mol`.
ISO_639_2_TO_1 = dict(
    pair.split(":")
    for pair in """
aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm
baq:eu bel:be ben:bn bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs cha:ch che:ce chi:zh chu:cu chv:cv
cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee
fao:fo fas:fa fij:fj fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn
guj:gu hat:ht hau:ha hbs:sh heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii iku:iu
ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki
kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg
mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mol:ro mon:mn mri:mi msa:ms mya:my nau:na nav:nv
nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa per:fa
pli:pi pol:pl por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg san:sa scc:sr scr:hr sin:si slk:sk
slo:sk slv:sl sme:se smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv
tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug
ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
""".split()
)


def language_condition(tag: str) -> Q:
    """Return the condition for rows in a language, given in lower case; `pt` includes `pt-br`."""
    # "." follows "-" in ASCII, so this is a single range of the index.
    return Q(language=tag) | Q(language__gte=f"{tag}-", language__lt=f"{tag}.")


def shortest_tag(tag: str) -> str:
    """Return a BCP 47 tag in lower case, with the two-letter code if the language has one: `por-BR` gives `pt-br`."""
    language, *others = tag.lower().split("-")
    return "-".join([ISO_639_2_TO_1.get(language, language), *others])


def parse_tag(text: str) -> str:
    """Return a BCP 47 tag as it is stored (`por-BR` gives `pt-br`); "" if the text is not a tag."""
    tag = shortest_tag(text.strip())
    return tag if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", tag) and len(tag) <= 12 else ""
