"""What a list question says that papers do: mention, use, introduce, be about.

Patterns only: `rag.listing.clauses` cuts questions along them.
"""

from __future__ import annotations

import re

from rag.listing.wording import either, verbs

MENTIONS = either(
    "us(?:es?|ed|ing)_(?:the|a)_(?:\\w+_)?(?:word|term|phrase|expression|acronym|abbreviation"
    "|name)s?",
    '(?:word|term|phrase|expression)s?(?=_")',
    "(?:call|describe)s?_(?:themselves|itself)(?:_as)?",
    "ha(?:s|ve)_(?:the_)?(?:word|term|phrase)s?",
    "(?:bring|brought|brings)_.{0,3}up spoke_(?:of|about) wrote_about nam(?:es?|ed|ing)(?=_)",
    "mention(?:ed)?_(?:across|in)",
    verbs(
        "mention cite contain include bring+up speak+of,about talk+of,about,bout refer+to say "
        "write+about",
        "turn+up appear occur point+to invoke spell+out reference",
    ).replace(" ", "_"),
)
_RESULTS = r"(?: (?:their|any|the))? (?:results?|numbers?|scores?|performance|accuracy|figures)"
_ON = r"(?: (?:(?-i:[a-z]+) )?(?:on|with|against|using))"
USES = either(
    "(?:measure|benchmark|pit|put|test|hold|set)s?(?:_(?!against)[\\w-]+){0,4}_against",
    f"evaluat(?:es?|ed|ing)(?: (?:themselves|their \\w+))?{_ON}?".replace(" ", "_"),
    f"(?:test|validate|measure)(?:s|d|ed|ing)?{_ON}?".replace(" ", "_"),
    f"(?:benchmark|experiment)(?:s|ed|ing)?{_ON}".replace(" ", "_"),
    f"report(?:s|ed|ing)?{_RESULTS}(?: (?:on|for|with|in))".replace(" ", "_"),
    r"r[ua]n(?:s|ning)?(?:_(?:\w+_)?(?:on|with|at))? buil(?:ds?|t|ding)(?:_up)?_(?:on|upon)",
    f"(?:pre-?)?train(?:s|ed|ing)?(?:{_ON}|_in)?".replace(" ", "_"),
    r"compar(?:es?|ed|ing)(?:_(?-i:[a-z]+))?(?:_(?:with|against"
    r"|to)) based_on works?_with working_with",
    "(?:(?:has|have|with)_)?(?:results|numbers|scores|experiments|evaluations?)_(?:on|for)",
    "show(?:s|ed|ing)?_results_on",
    "(?:released?|published|distributed|licen[sc]ed|available)_under",
    "do(?:es)?_experiments_(?:on|with) carr(?:y|ies|ied)_out",
    verbs(
        "report/on use employ adopt apply rely+on,upon fine-tune finetune leverage utilize utilise",
        "conduct perform combine integrate involve incorporate exploit give",
    ).replace(" ", "_"),
)
ABOUT = either(
    "(?:is_|are_)?(?:all_)?about on concerning regarding related_to to_do_with does do doing",
    "is_doing reading_up_on for interested_in of from in with",
    verbs(
        "deal+with concern cover focus+on study investigate address tackle explore look+at,into",
        "work+on treat examine discuss consider analyse analyze touch/on worry+about care+about",
        "struggle+with wrestle+with grapple+with fight+with cope+with go+into,about bother+with",
        "try",
    ).replace(" ", "_"),
)
BRINGS = either(
    "built c(?:omes?|oming|ame)_(?:up_)?with",
    verbs(
        "propose introduce present release contribute create build develop offer provide publish",
        "design construct bring describe ship",
    ).replace(" ", "_"),
)
WEAK = either(
    "or at_least even just merely only either actually explicitly directly also really",
    "(?:bother|happen|manage)s?_to",
)
_BROUGHT = either(
    r"an? the their its own new novel some any first two code software \w+s\b \w+_\w+"
)
VERB = re.compile(
    rf"^\W*(?:(?:{WEAK}|to|can|will|may|been|being|that|which|who|they|it|ever|and/or) )*"
    r"(?P<not>(?:do|does|did|are|is|have)?(?:n't| not|not)? ?(?:not|never|n't) )?"
    rf"(?:{WEAK} )*"
    rf"(?:(?P<mention>{MENTIONS})"
    rf"|(?P<bring>{BRINGS})(?! (?:up)?(?:on|upon|with|from|in|under)\b)(?= {_BROUGHT})"
    rf"|(?P<use>{USES})|(?P<about>{ABOUT}))\b[\s:]*",
    re.IGNORECASE,
)
SEVERAL_VERBS = re.compile(  # "uses or at least mentions"
    rf"\b(?:{USES}|{MENTIONS}|{ABOUT}),? (?:{WEAK} )+(?P<last>{MENTIONS}|{USES}|{ABOUT})\b",
    re.IGNORECASE,
)
NEGATIVE = re.compile(
    r"(?:[,;]\s+not (?:about|on)\s+)|[,;]?\s+(?:but (?:not|no|without|never|none of"
    r"|(?:has|have|with) no)|and not|but "
    r"(?:do|does|are|is)(?:n't| not)"
    r"|and (?:do|does|are|is)(?:n't| not)|yet not"
    r"|(?:and|but|while|yet) (?:never|not|(?:says?|saying) nothing(?: about| of| on)?)"
    r"|(?<=\w )(?:do|does)(?:n't| not)(?= (?:mention|name|cite|use|contain|talk|evaluate|have)\b)"
    r"|(?:that|which|who) (?:do|does|are|is)(?:n't| not)(?=\s+(?:about|on|use|mention))"
    r"|except(?: for| the)?|excluding|apart from|without|minus"
    r"|not counting|aside from"
    r"|(?<!something )(?<!anything )(?<!things )(?<!stuff )other than)\s+",
    re.IGNORECASE,
)
AND_VERB = re.compile(
    r",?\s+(?:and|but)(?: (?:also|then|at the same time|they|still))*\s+"
    rf"(?=(?:{MENTIONS}|{BRINGS}|{USES}|(?:is |are )?about|deals? with|focus\w* on|work on)\b)"
    r"|(?<!so)(?<!benchmarks)(?<!datasets)(?<!corpora)\s+(?:that|which|who) (?:also )?"
    r"(?=(?:mention|cite|name|evaluate|report|test|benchmark|experiment)s?\b)"
    r"|(?<!n't)(?<!not)(?<! to)(?<!that)(?<!which)(?<!who)(?<!also)(?<!and)(?<!or)(?<!they)(?<!can)"
    r"(?<!do)(?<!,)(?<!only)(?<!just)(?<!all)\s+(?=(?:report (?:results|numbers|scores)|mention"
    r"|cite|evaluate on|release (?:code|their"
    r"|the)|introduce an?|propose an?)\b)"
    r"|,?\s+(?:and|but) also\s+(?=\w)|,?\s+and (?=(?:have|has|with|are|is) )",
    re.IGNORECASE,
)
# Words that, alone, are no subject.
EMPTY = frozenset(
    """
    paper papers abstract abstracts work works study studies article articles thing things one ones
    something anything everything model models method methods approach approaches technique
    techniques system systems new novel kind kinds type types subject topic topics area field
    question questions problem problems use used using run ran runs train trained training trains
    pre-train pretrain pre-trained pretrained fine-tune report reports claim claims show shows
    describe describes described combine involve present presents so
    achieve achieves reach reaches get gets be being is are was were has have had having actually
    really experiments experiment pretraining took takes take size sizes scale scales up least
    most more less than over under
    own collection here projects project teams efforts tell tells us state states give gives
    speedup speed-up speedups speed-ups
    faster cost costs amount amounts number numbers literature review reviews available first
    introduce introduced propose proposed handle handling handles support supports process processes
    fine tune tuning stay stays remain remains
    llm llms language large neural network networks exist existing name names list with on of for in
    the a an at by to from about and or not they their its his themselves itself do does call calls
    called come comes whose who that which what how many written write writes
    """.split()
)
