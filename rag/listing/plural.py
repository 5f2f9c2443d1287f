"""Whether a question wants papers in the plural: a list, a count, everything on something.

A wrong yes takes a question about one paper away from the paper that answers it, so that what is
not plainly plural is no list: "which paper", "is anyone doing …", "something that does …".
"""

from __future__ import annotations

import re

from rag.listing.normal import ASKS_AGAIN, without_preamble
from rag.listing.predicates import ABOUT, BRINGS, MENTIONS, USES
from rag.listing.wording import either
from rag.text import squeeze

PAPERS = either(
    "preprints papers abstracts works studies articles publications theses dissertations surveys",
    "literature_reviews",
)
_PLAIN = either("papers abstracts theses dissertations preprints")  # hardly ever a paper's subject
_WORKS = either(
    "works studies articles publications surveys (?:literature_|systematic_)?reviews overviews",
    "tutorials work research literature case_studies (?:experience_|technical_)?reports essays",
)
_BROUGHT = either(  # what papers bring, and stand for
    "benchmarks datasets data_sets corpora libraries toolkits packages tools systems frameworks",
    "models llms methods approaches techniques algorithms architectures optimizers simulators",
    "environments metrics leaderboards projects efforts agents platforms training_sets test_sets",
)
_ANYONE = either(
    "any_?one any_?body some(?:one|body) every(?:one|body) people others? teams groups authors",
    "researchers folks",
)
_ANYTHING = either(
    "anything everything evrything whatever stuff material all_(?:the_)?(?:stuff"
    "|things(?!_consid))",
    "something(?=_(?:on|about|with|around)\\b) (?:the_|any_|those_|all_)*ones",
    "(?:any_|every_(?:single_)?)one",
    "all(?=_(?:that|which|of_them|those)\\b) those(?=_(?:that|which|who|with)\\b)",
)
_HERE = either(
    "here in_(?:this|the|your|our)_(?:collection|corpus|set|library|pile|list|database|archive)",
    "of_(?:these|them|those|yours) (?:between|among)_them",
)
_OPENS = either(
    "and so but ok well please pls now also then just hi hello is are there got have do you we i",
    "i'd i'm me us to can could would like love want need see show list find give get name tell",
    "point pull up out collect compile gather enumerate count looking searching after for",
    "interested in any all every the",
)
_DOES = f"(?:{MENTIONS}|{USES}|{BRINGS}|{ABOUT})"
_DOES_TOO = either(  # what "who" is said to do, besides
    "tells claims supports handles scales works reaches exceeds surveys tried says gets goes needs",
    "takes achieves spends offloads open-?sources",
)
_WHATS = either(  # what papers do, and hardly anything that a paper is about
    "mentions uses cites names covers discusses addresses handles supports employs builds_on",
    "relies_on runs_on deals_with talks_about touches_on compares_(?:with|against|to)",
    "evaluates_on trains_on (?:is|are)_(?:trained|evaluated|tested|built|based|run)_(?:on|with)",
)
_SAID = either(
    "mentioned used cited named discussed referenced brought_up touched_on covered talked_about",
    "employed applied evaluated reported spelled_out found described",
)
_ONE_PAPER = either("it its it's they the_(?:paper|authors?|study|survey|abstract|work)")
_WH = either(
    "what which who whose how why when where is are was were do does did can could should would",
    "has have had if whether in on of for from to by with the these those this that it they",
    "compare name list give tell show find explain describe write",
)
_BOUND = (
    r"(?:between|beyond|past|north of|with|(?:more|less|fewer|larger|smaller|longer|shorter|faster"
    r"|greater|higher|lower|bigger) than|over|under|below|above|at least|at most|up to|exceed\w*"
    r"|[<>≥≤]=?) (?:\w+ )?(?:\$?\d|a? ?[mbtr]+illion|one|two|five|ten|a (?:hundred|thousand)"
    r"|hundreds|thousands)"
)
_BOUND = rf"(?:{_BOUND}|(?:a factor of )?\d[\w.,%]* (?:\w+ )?or (?:more|less|fewer|better|higher))"
_MOD = rf"(?:(?!{_WH}\b)[\w/'-]+ )"  # a word before a noun
_TELLS = r"(?![^?]*\b(?:says?|shows?|suggests?|finds?|what|how(?! many)|why|than(?! \S*\d))\b)"
_START = r"^\W*(?:(?:and|so|but|ok|wow|hm|oh|ah)\b[\s,.!]*)*"

# What asks for papers in the plural, each under the words that people are told it by.
_LISTS = {
    "papers": rf"(?<! its )(?<! his )(?<! her )(?<! their )(?<! my )\b{_PLAIN}\b",
    "works asked for": rf"\b(?:which|what|any|all|every|(?<!do )(?<!does )(?<!did )each"
    r"|more|other|further|several|list|name"
    rf"|show(?: me)?|give me|how many|number of|some|count of) (?:(?:the|of|these|your|other|new"
    rf"|single|more|recent) )*{_MOD}{{0,2}}?{_WORKS}\b(?! (?:were|was|did|does|is(?! there)|has|had"
    r"|from|of|by|to|they|it|the|found?s?|shows?|showed|says?|concludes?|should|would|could|better"
    r"|best|well|worse|like|as|only|without|at|when|if|can)\b)",
    "entries": r"\b(?:which|what|any|all|every|list(?: the)?) (?:items|entries|titles)\b(?! (?:does"
    r"|did|do|were|was|are) (?:it|they|the)\b)",
    "mentions, without who": r"^\W*(?:mentions|names|cites|mentioning|naming|citing) (?!(?:it|this"
    r"|that|of)\b)\S+",
    "works told of": rf"^\W*(?:(?:any|all|the|other|more|recent|existing|some|please) )*"
    rf"{_MOD}{{0,4}}?{_WORKS},? (?:on|(?<=s )of|about|around|regarding|concerning|dealing|using"
    rf"|mentioning"
    r"|that|which|who|whose|but|excluding|except|leaving|without|not|for|from|covering|here"
    rf"|in (?:this|here)|(?-i:[a-z]+ing))\b{_TELLS}",
    "who does": rf"{_START}(?:i (?:want to know|wonder) )?who(?:'s|'re)? (?:(?:else|all|actually"
    rf"|really|also|even|ever|explicitly|only|at least|or|has|have|is|are|been|{_HERE}) )*(?!(?:it"
    r"|is|proposed|invented|introduced|wrote|made|created|developed|was|are|were|am|should|would|will"
    rf"|can|could|did)\b)(?:{_DOES}|{_DOES_TOO})\b(?! (?:it|this|that|these|they|he|she)\b)",
    "who does whatever": rf"{_START}(?:i (?:want to know|wonder) )?who (?:(?:all|also|even|really"
    r"|actually|\w+ly) )*(?-i:(?!is\b|was\b|has\b|does\b|wins\b|needs\b|decides\b)"
    r"[a-z]{2,}[^s'\W]s)"
    r" (?!(?:it|this|that|he|she|they|them)\b)",
    "who has it in there": r"^\W*who (?:has|have) [^?]{2,60} in (?:the|their|its) (?:abstract|title"
    r"|text)s?\b",
    "who, within bounds": rf"^\W*(?:who|any(?:one|body)|every(?:one|body)) [\w -]{{0,24}}?{_BOUND}",
    "who else": rf"{_START}(?:(?:is|does|has) )?(?:who|any(?:one|body)|any others?) (?:else|all)\b"
    r"(?! (?:is|was|are) the\b)",
    "who here": rf"{_START}who(?:'s|se)? (?!(?:proposed|invented|wrote|made)\b)[^?]*\b{_HERE}\b",
    "anyone here": rf"\b(?:(?:does|do|did|has|have|is|are|was|were|what have) (?:any )?{_ANYONE}"
    rf"|^\W*any_?(?:one|body))\b[^?]*\b{_HERE}\b(?! (?:is|are)\b)",
    "anyone else": rf"\b(?:does|has|is|do|did) {_ANYONE} (?:besides|apart from|other than|except"
    r"|but)\b",
    "anyone, behind it": r"^[^?]{3,80}[,;:-]+ *(?:is |has )?any_?(?:one|body)\W*$".replace(
        "_?", " ?"
    ),
    "everyone": rf"^\W*(?:(?:all|please|list|show me|find) )*(?:everyone|everybody) (?:{_HERE} )?"
    r"(?:with|who|that|on|using|doing|(?-i:[a-z]+ing))\b",
    "anything": rf"^\W*(?:{_OPENS}\b[\s,:]*)*{_ANYTHING} {_MOD}{{0,2}}(?:on|about|around|in|of"
    rf"|regarding|concerning|that|which|with|to do|using|related|dealing|for|touch\w*|{_DOES}"
    r"|(?-i:[a-z]+(?:ed|ing)))\b",
    "what does": rf"{_START}what (?:(?:else|all|here|other) )*{_WHATS} (?!(?:it|this|that"
    r"|the (?:paper|authors?))\b)",
    "what there is": rf"(?:{_START}|[,;:.?-] *)what(?: else| all)?(?:'s| is| has| have| do| did)? ?"
    r"(?:all )?(?:there|(?:we|you)(?: have| got| hold)*|been (?:written|done|published|said)"
    r"|(?:got|written|published)|(?:in|inside) (?:here|the|this|your)(?: collection| library"
    rf"| corpus| set)?|{_ANYONE})(?: (?:here|in here|there|done|got|have|said|out|in))* (?:on|about"
    r"|around|regarding|concerning|with|for)\b",
    "asked for behind it": rf"^(?!\W*(?:what|which|who|how|why|when|where|is (?:it|the|this)|does"
    r" (?:it|the|this)|(?:do|did) (?:they|the)|can|could|would|should|was|were)\b)[^?!]{3,200}"
    rf"[?!.,;:-]+ *(?:(?:and|or|so|please) )*{ASKS_AGAIN}(?:,? (?:and|please|thanks|of them|which"
    r"|who|how many|titles))*\W*$",
    "said somewhere": rf"^\W*(?:is|are) [^?!]{{2,70}}? {_SAID} (?:anywhere|somewhere|at all|in here"
    rf"|here|by any\w*|in any)\b|^\W*(?:is|are|where(?:'s| is| are| does| do)) [^?!]{{2,70}}? "
    rf"(?:{_SAID}|appears?|occurs?|(?:shows?|turns?|pops?|comes?|crops?) up)\b.*[?.,;:-]+ *"
    rf"(?:and )?{ASKS_AGAIN}\W*$",
    "where it is said": r"\b(?:where|how often) (?:does|do|is|are) (?:we find |(?:that|this|the|it)"
    r"\b ?)[^?]{0,40}(?:appear|occur|(?:show|turn|come|crop|pop) up|used|mentioned|found)\b"
    r"|\bmentions of\b|^\W*(?:(?:any|all|the) )*(?:uses?|usage) of [A-Z\"]",
    "held": rf"\b(?:(?:do|have) (?:we|you) (?:have|got)|are there) (?:any"
    rf" )?{_MOD}{{0,3}}?(?:{_WORKS}"
    rf"|{_BROUGHT})\b|{_START}any paper (?:at all )?(?:on|about|that|which|with|for|using)\b",
    "how many are held": rf"\bhow many {_MOD}{{0,2}}?(?:{_WORKS}|{_BROUGHT}) [^?]{{3,80}} (?:do"
    rf" (?:you"
    r"|we) have|are (?:there|here))\W*$",
    "work there is": r"\bis there (?:any |some |other |more |also |already )*(?:work|research"
    r"|literature|material) (?:on|about|with|in which|where|that)\b",
    "each paper": r"\b(?:every|each|more than one) (?:single )?(?:paper|abstract|article|study)\b"
    r"(?! (?:have|has|get))|\b(?:do|does|did|have|has|is|are) any of (?:the|these|your|those|them)"
    r"\b|\bin (?:which|how many) (?:works|studies|ones)\b",
    "which of them": r"\b(?:which|how many|what|any) of (?:these|those|them)\b"
    r"(?! (?:two|three|four|2|3|4)\b)|\blist (?:them|all of them)\b|^\W*(?:and )?all of them\b"
    r"|\b(?:which|what) ones\b(?! (?:do|does|did|is|was)\b (?:it|they|the))"
    rf"|{_START}which (?:ones )?are (?:not |n't )?(?:about|on)\b",
    "how many do": r"\bhow many (?:(?:actually|really|also|even|do|of them|explicitly) )*"
    rf"(?!\w+[^s]s\b){_DOES}\b(?! (?:it|the|this|you|we|they)\b)|\bhow many(?: \w+){{0,3}}?,? "
    r"(?:and|&) which\b",
    "how many are brought": rf"\bhow many {_MOD}{{0,2}}?{_BROUGHT} (?:are (?!(?:used|tested|needed"
    r"|evaluated|compared|in (?:the|[A-Z])|considered|included|covered|studied)\b)|is there|that"
    r"|which|with|on|for|about|here|there|do (?:we|you)|can|cover|deal|target|focus|come|have)\b"
    rf"(?![^?]*\b{_ONE_PAPER}\b)",
    "what is brought": rf"^\W*(?:(?:any|which|what|list|all|the|please|show me|give me|is there"
    rf"|are there|name|other|new) )*{_MOD}{{0,4}}?{_BROUGHT}(?: ?/ ?\w+)?,? (?:(?:introduced"
    r"|proposed|released|presented|created|built|aimed) |here|in (?:this|the|your) collection"
    r"|for|on"
    r"|of|about|that|which|whose|with|but|without|except|excluding|from|target|cover|measure|assess"
    r"|focus on|exist|are there)(?![^?]*\b(?:how(?! many)|why|what|does|did|says?|shows?"
    r"|than(?! \S*\d| a | an | one )|is it|it)\b)",
    "brought, within bounds": rf"^\W*(?:(?:which|what|list|all|any) )*{_MOD}{{0,4}}(?:{_BROUGHT}"
    rf"|works|runs|setups|experiments|trainings|teams|groups) {_MOD}{{0,5}}?{_BOUND}",
    "which teams": r"\b(?:which|what) (?:authors|teams|groups|people|labs) (?:here |\w+ly )?"
    rf"(?:{_DOES}|(?-i:[a-z]+ed))\b",
    "whose": r"^\W*whose (?:models?|abstracts?|titles?|systems?|methods?|training|experiments|code)"
    r" (?:\w+ )?(?:is|are|was|were|has|have|mention|name|contain|use|say|speak|run|ran|reach|beat)"
    r"s?\b",
    "a kind of paper": r"^\W*(?:(?:any|all|list|the|every|which|what|show me|give me|how many"
    r"|are there) )*(?:[\w-]+ ){0,3}?(?:surveys|theses|dissertations|tutorials|position papers"
    r"|literature reviews|systematic reviews|case studies|overviews|benchmarks|datasets)"
    r"(?: (?:here|in here|in this \w+|are there|do you have))*\W*$",
}
MAYBE_ONE_PAPER = frozenset(
    {
        "how many do", "how many are brought", "what is brought", "brought, within bounds", "held",
        "how many are held", "another language", "who does whatever",
    }
)  # fmt: skip
"""What also asks what one paper says, where the question names that paper's own system."""

_LIST = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _LISTS.items()}
_NOT_LIST = re.compile(
    r"\b(?:to|into|from|on|with|by|after) how many (?!(?:papers|abstracts|works|studies)\b)"
    r"|\b(?:these|those|the|both|all) (?:two|three|four|five|2|3|4) (?:papers|works|studies"
    r"|systems|methods)\b"
    r"|\b(?:the )?(?:two|three|four|2|3|4) papers\b(?! (?:or|and) more)"
    r"|^\W*(?:which|what) (?:[\w-]+ ){1,8}?(?:does|did) (?:it|they|(?-i:[A-Z])[\w-]+)\b"
    r"(?! (?:appear|occur|get|turn|come|show|mentioned|used))"
    r"|\bwhich (?:one )?of (?:these|those|the) (?:two|three|four|2|3|4)\b"
    r"|\b(?:which|what) (?:single )?(?:paper|study|article|work|abstract)\b(?!s| titles| abstracts)"
    # papers that one paper read, or that are its data
    r"|\bhow many [^?]{0,60}\b(?:were|was|are|is|get|got|went|did) (?:[\w-]+ "
    r"){0,2}?(?:(?:review|annotat|survey"
    r"|index|collect|examin|includ|cover|link|analy[sz]|label+|select|judg)ed\b|read\b|run\b"
    r"|(?-i:in [A-Z])|into\b)"
    r"|\b(?:surveyed|reviewed|annotated|news|redacted) (?:papers|abstracts|articles)\b|\bthe "
    r"[\w-]+ papers (?:actually|define)"
    r"|(?<!in )\bhow many (?:[\w-]+ )?(?:papers|abstracts)[^?]*\b(?:(?-i:in [A-Z]\w*)|do you "
    r"(?:need|draw)|make up|with redacted)\b"
    r"|\b(?:in|of|from|by) (?:the|that|this) (?:(?!papers|abstracts)[\w-]+ ){0,4}(?:paper|study"
    r"|article)\b"
    r"|\b(?:the|this|that|your) (?:[\w-]+ ){0,3}(?:survey|study|review|paper)(?:'s)? (?:pull"
    r"|include|cover|select|draw|look|find|say)s?\b"
    r"|^\W*who (?:is|was|are|were|am|should|would|will|can|could|does (?:this|that|it)|did|do "
    r"(?:i|you|we))\b"
    # papers that one paper or its authors cite, criticise, build on
    rf"|(?<!in )\b(?:which|what|how many) (?:other |of the |the )?(?:[\w-]+ )?{PAPERS} (?:"
    r"(?:does|did) (?![^?]*\b(?:appear|occur|(?:turn|come|show) up|mentioned|used)\b)"
    r"(?!not\b|it\b|(?:the|this|your|our) (?:collection|corpus|library|set)\b)"
    r"|do (?:(?:the|its|their|these) )?(?:[\w-]+ ){0,2}?(?:authors|researchers|creators|developers"
    r"|makers|writers|inventors)\b"
    r"|(?:is|are|were|was) (?:\w+ )?(?:cited|quoted|criti[cs]i[sz]ed|referenced|referred to"
    r"|reviewed|reproduced) (?:by|in) (?!(?:this|the|your) (?:collection|corpus|library)\b"
    r"|other\b|any\b|the others?\b|papers\b|more\b))",
    re.IGNORECASE,
)
# Frames of other languages, on folded text (no accents on Latin letters).
_ELSEWHERE = re.compile(
    "|".join(
        (
            r"\b(?:welche[nr]?|alle|wie viele|wieviele|liste|samtliche"
            r"|gibt es)\b.{0,40}\b(?:papers?"
            r"|paper|arbeiten|artikel|abstracts?|studien|aufsatze|veroffentlichungen"
            r"|publikationen|zusammenfassungen|dissertationen|beitrage)\b",
            r"^\W*(?:[\w-]+ ){0,2}(?:trabajos|articulos|artigos|trabalhos|articoli|lavori|arbeiten"
            r"|artikel|artikelen|travaux|articles|estudios|estudos|studien|studi) (?:sobre|acerca"
            r"|que|sur|uber|zu|zum|zur|su|sull\w*|over|qui|con|com|die|com)\b",
            r"^\W*wer (?:alles|noch|sonst)\b",
            r"\b(?:que|cuales|cuantos|cuantas|todos los|todas las|lista|enumera"
            r"|dame)\b.{0,40}\b(?:articulos|papers|resumenes|trabajos|estudios|abstracts"
            r"|publicaciones|tesis|encuestas)\b",
            r"^\W*(?:cuantos|cuantas|cuales|quienes)\b.{0,30}\b(?:mencionan|nombran|usan"
            r"|utilizan|tratan|hablan|proponen|evaluan)\b",
            r"\b(?:quels|quelles|combien d[e'] ?|tous les|toutes les|liste"
            r"|lesquels)\b.{0,40}\b(?:articles|papiers|resumes|travaux|etudes|papers"
            r"|publications|theses|abstracts)\b",
            r"\b(?:quali|quanti|quante|tutti gli|tutti i|elenca)\b.{0,40}\b(?:articoli|papers?"
            r"|abstract|lavori|studi|pubblicazioni|riassunti|tesi)\b",
            r"\b(?:quais|quantos|quantas|todos os|todas as|liste)\b.{0,40}\b(?:artigos|resumos"
            r"|trabalhos|papers|estudos|publicacoes|abstracts|teses)\b",
            r"\b(?:welke|hoeveel|alle)\b.{0,40}\b(?:papers|artikelen|abstracts|studies"
            r"|publicaties|werken|samenvattingen)\b",
            r"\b(?:ktore|ile|wszystkie|jakie)\b.{0,40}\b(?:prace|prac|artykuly|artykulow"
            r"|publikacje|abstrakty|streszczenia)\b",
            r"\b(?:hangi|kac|tum)\b.{0,40}\b(?:makale\w*|ozet\w*|calisma\w*|bildiri\w*)",
            r"(?:какие|сколько|все|перечисли\w*|в каких|скольких)\b.{0,40}(?:стат[ьей]\w*"
            r"|работ\w*|аннотаци\w*|публикаци\w*|обзор\w*)",
            r"(?:哪些|哪幾篇|哪几篇|多少|几篇|幾篇|所有|列出|有哪些).{0,30}(?:论文|論文|文章|摘要|研究|综述|篇)",
            r"(?:论文|論文|文章|摘要)(?:中)?(?:有)?(?:哪些|多少|几篇|幾篇)",
            r"(?:論文|アブストラクト|要旨|研究).{0,25}(?:すべて|全て|全部|いくつ|何本|何件|何編|リスト|一覧|挙げて)|(?:すべて|全て|全部|いくつ"
            r"|何本|何件)の.{0,20}(?:論文|アブストラクト|要旨)",
            r"(?:어떤|몇|모든|모두).{0,30}(?:논문들|논문|초록)",
            r"(?:कौन से|कौनसे|कितने|सभी).{0,40}(?:पेपर|शोधपत्र|शोध पत्र|लेख|सार)",
            r"(?:كم|ما هي|اي|جميع|كل).{0,30}(?:اوراق|ورقة|ابحاث|بحث|ملخصات|مقالات)",
        )
    ),
    re.IGNORECASE,
)
_NOT_ELSEWHERE = re.compile(
    r"\bque (?:articulo|trabajo|estudio|paper)\b|哪一?篇|どの論文が最", re.IGNORECASE
)


def asks_for_list(question: str) -> bool:
    """Whether folded *question* wants papers in the plural.

    >>> [asks_for_list(q) for q in ("which papers mention ImageNet?", "who else does this",
    ...  "which paper mentions ImageNet?", "how many GPUs does it use?", "everything on pruning")]
    [True, True, False, False, True]
    """
    return bool(list_reason(question))


def list_reason(question: str) -> str:
    """What of folded *question* asks for papers in the plural; "" if nothing does.

    >>> list_reason("is Julia used by anybody here")
    'said somewhere'
    """
    text = without_preamble(squeeze(question))
    if _ELSEWHERE.search(text) and not _NOT_ELSEWHERE.search(text):
        return "another language"
    if _NOT_LIST.search(text):
        return ""
    return next((name for name, pattern in _LIST.items() if pattern.search(text)), "")


def is_english(question: str) -> bool:
    """Whether the frame of folded *question* is not one of another language.

    >>> is_english("¿Cuantos resumenes nombran GSM8K?"), is_english("which papers name GSM8K?")
    (False, True)
    """
    return not _ELSEWHERE.search(squeeze(question))
