"""Whether a question wants papers in the plural: a list, a count, everything on something.

A wrong yes takes a question about one paper away from the paper that answers it, so that what is
not plainly plural is no list: "which paper", "is anyone doing …", "who uses it".
"""

from __future__ import annotations

import re

from rag.listing.normal import without_preamble
from rag.text import squeeze

PAPERS = (
    r"(?:preprints|papers|abstracts|works|studies|articles|publications|theses|dissertations"
    r"|surveys"
    r"|literature reviews)"
)
_PLAIN = r"(?:papers|abstracts|theses|dissertations|preprints)"  # hardly ever what a paper is about
_OTHER = r"(?:works|studies|articles|publications|surveys|(?:literature )?reviews|overviews)"
_ASKS = r"(?:which|what|wich|whihc|list|show|give|find|get|name|collect|enumerate|want|need|see)"
_BETWEEN = r"(?:(?!(?:of|does|do|did|is|was|in|from|to|if|that|by)\b)[\w'/-]+ ){0,3}?"
_ADVERB = r"(?:(?:actually|really|also|even|ever|explicitly|only|do|at least|or) ){0,3}"
_USE = (  # what papers do, as "how many …" and "which ones …" have it
    r"(?:use|mention|cite|name|evaluate|propose|introduce|release|compare|apply|employ|adopt|rely "
    r"on"
    r"|build on|run on|ran on|run at|train (?:on|with|a|their|models?)|fine-?tune (?:on|a|with)"
    r"|work (?:on|with)"
    r"|talk about|speak of|write about|deal with|discuss|address|tackle|explore|investigate|focus "
    r"on|contain"
    r"|refer to|experiment (?:on|with)|achieve|exceed|open-?source|come with|bring up"
    r"|(?:test|report|claim|study|survey|benchmark|name|present|scale)"
    r" (?:on|a|an|the|their|that|results|something|at|to|more|about|with|any)|are (?:about|on)|do)"
)
_USES = (  # and as "who …" has it
    r"(?:uses|mentions|names|cites|evaluates|tests|reports|supports|handles|trains|fine-?tunes"
    r"|pre-?trains|proposes"
    r"|introduces|presents|releases|benchmarks|compares|applies|studies|investigates|works (?:on"
    r"|with|at)"
    r"|talks about|writes about|speaks (?:of|about)|tells|claims|runs|ran on|relies on|builds on"
    r"|employs"
    r"|adopts|scales|deals with|discusses|addresses|tackles|explores|focuses on|refers to"
    r"|experiments (?:on|with)|achieves|reaches|exceeds|surveys|open-?sources|brings up|includes"
    r"|touches|contains|covers|looks at|considers|leverages|utilizes|says anything"
    r"|is (?:doing|using|working on|training))"
)
_BOUND = (
    r"(?:between|beyond|north of|with|(?:more|less|fewer|larger|smaller|longer|shorter|faster"
    r"|greater|higher|lower|bigger) "
    r"than|over"
    r"|under|below|above|at least|at most|up to|exceed\w*|[<>≥≤]=?) (?:\w+ )?(?:\$?\d|a? "
    r"?[mbtr]+illion|one|two|five|ten|a (?:hundred|thousand)|hundreds|thousands)"
)
_LISTS = (
    # which … papers, list all papers …, in how many abstracts …
    rf"\b{_ASKS} (?:me )?(?:titles of |the titles of )?(?:of )?(?:the |these |your |all |every "
    rf"|any |other "
    rf")*{_BETWEEN}{_PLAIN}\b",
    rf"\b(?:which|list|name|give me|show me|what)(?: me)?(?: all| the| every| other)* (?:[\w/'-]+ "
    rf")?{_OTHER}"
    r" (?:that|which|who|on|about|here|are (?:there|about|on)|do (?:you|we)|in (?:this|the) "
    r"collection"
    rf"|{_USE})\b",
    rf"\bhow many (?:of (?:the |these |your )?)?{_BETWEEN}{_PLAIN}\b",
    rf"\b(?:number|count) of (?:all |the |these |your )*{_BETWEEN}(?:{_PLAIN}|{_OTHER})\b",
    rf"^\W*(?:please )?(?:count|tally|enumerate)(?: up)? (?:all |the |every |each )*{_BETWEEN}"
    rf"(?:{_PLAIN}|{_OTHER})\b",
    rf"^\W*(?:(?:are|is) there |got |have you (?:got )?|do you have |show me |and )?any "
    rf"(?:[\w/'-]+ ){{0,6}}?{_PLAIN}\b",
    rf"^\W*(?:any |all |the |other |more |recent |existing |some )*(?:work|research|literature"
    rf"|{_OTHER}) (?:on|about|around|regarding|concerning|dealing with|using|mentioning)\b"
    r"(?![^?]*\b(?:says?|shows?|suggests?|finds?|what|how|why|than)\b)",
    r"^\W*\w[^?!.]*\b\w+s\b[^?!.]*[,;:?!.-]\s*(?:and )?(?:(?:which|what|who)(?: ones)? are they"
    r"|(?:name|list|show me|give me|count) (?:them|all of them))(?: all| please)?\W*$",
    # a bare plural that asks for its papers behind it, and whoever or whatever does something
    rf"[-,:;?.] *(?:and )?(?:which|what|any) (?:{_PLAIN}|{_OTHER})\W*$",
    r"^\W*(?!(?:what|which|who|how|why|when|where|is|are|was|were|do|does|did|can|could|should|would"
    rf"|has|have|if|whether)\b)[^?!.:;]{{3,90}} {_PLAIN}\W*$",
    r"^\W*(?:(?:show|list|find|give|get)(?: me)? )?(?:everybody|everyone) (?:with|who|that|on|using"
    r"|doing|(?-i:[a-z]+ing))\b",
    r"^\W*(?:is there |got |have you got |do you have )?(?:anything|everything|all (?:the )?stuff)"
    r" (?:that|which|using|around|trained|tested|evaluated|built|run|running|mentioning)\b",
    r"\b(?:all|any|every)(?: the)? (?:stuff|material|literature|work|research) (?:on|about"
    r"|around)\b",
    r"^\W*(?:so )?what(?:'s| is| has| have)? (?:all )?(?:been |you |we )?(?:got|written"
    r"|published|there|out there|in (?:here|this collection|the collection))"
    r" (?:\w+ )?(?:on|about|around|regarding)\b",
    r"^\W*what (?:else )?(?:do|have) (?:we|you)(?: (?:have|got|hold))(?: here)? (?:on|about"
    r"|around|for|regarding)\b",
    rf"^\W*(?:which|what|list|name) (?:[\w-]+ )?{_OTHER} (?!(?:were|was|did|does|is|are|had|has"
    rf"|do|from"
    r"|of|by|to|for|they|it|the|should|would|could|can|better|best|well|worse|worst|faster|more|like"
    r"|as|only|without|found|show|say|at|when|if)\b)(?-i:[a-z]+)\b",
    r"^\W*(?:which|what|any) (?:[\w/'-]+ ){0,2}(?:models|systems|methods|approaches|llms|datasets"
    r"|projects|teams|efforts|groups) "
    rf"(?:[\w/'-]+ ){{0,5}}?{_BOUND}",
    r"^\W*all (?:the )?things? (?!considered|equal|being|else)\w|[,;:.?] *how many (?:are there"
    r"|do you have|have you got|are here)\W*$",
    rf"\b(?:after|need|want|seek|seeking|looking for|interested in|hunting for)"
    rf" (?:[\w-]+ ){{0,2}}?{_PLAIN}\b",
    r"^\W*which ones (?!(?:is|was|did|does)\b)(?-i:[a-z]+)\b|\btitles of (?:any|all|every)",
    r"\bwhich of (?:them|the papers|your papers) (?!(?:is|was|has|does|did|are|were|two|three)\b)"
    r"(?-i:[a-z]+(?<!s))\b",
    rf"\b(?:all|any|every|each)(?: of)?(?: the| these)? {_PLAIN} (?:in which|where|whose|from"
    rf"|to)\b",
    r"^\W*(?:please )?(?:(?:list|enumerate|show|give|pull|name|count|get|find)(?: me)?(?: up"
    r"| out)? )?"
    r"(?:all |any |just |only |those |the )*ones (?:with|that|which|on|about|in|using|where"
    r"|whose)\b",
    r"^\W*any (?:[\w/'-]+ ){0,2}(?:benchmarks|datasets|libraries|toolkits|tools|packages|corpora) "
    r"(?:for|on|about|that|covering)\b",
    rf"^\W*[^?!.:;]{{3,90}} {_PLAIN}\? (?:how many|which|all|list|name|count|please)\b",
    # a noun of papers, or of what they bring, that is told more of and asks nothing about itself
    rf"^\W*(?:(?!(?:what|which|who|whose|how|why|when|where|is|are|was|were|do|does|did|can|could"
    rf"|should|would|has|have|had|if|whether|in|on|of|for|from|to|by|with|the|these|those|this|that)"
    rf"\b)[\w/'-]+ ){{0,4}}?(?:{_PLAIN}|{_OTHER}|benchmarks|datasets|data sets|corpora|libraries"
    rf"|toolkits|optimizers|leaderboards)(?: ?/ ?\w+)?,? (?:on|of|for|about|around|regarding|that"
    rf"|which|with|without|where|but|from|by|minus|excluding|except|\(|covering)"
    rf"(?![^?]*\b(?:how(?! many)|why|what|does|did|says?|shows?|than(?! \S*\d| a | an | one )|is it"
    rf"|it)\b)",
    r"^\W*(?:[\w/'-]+ ){1,4}?(?:work|research|literature)[,;]? (?:but|leaving|excluding|without|not"
    r"|minus|rather than|other than)\b",
    r"[-,:;] *(?:everything|anything|all|whatever) (?:of (?:it|them)|you(?:'ve| have"
    r"|) ?(?:got)?|there"
    r" is|that exists)\W*$|[\w)], any\?\W*$",
    r"[-,:;] *which (?:of )?(?:\w+ )?(?:systems|models|methods|works|approaches|ones) [a-z]+"
    r" (?:those"
    r"|them|that|this|so|it)\W*$",
    r"^\W*(?:please )?(?:(?:show|list|give|find|name|get)(?: me)? )?(?:those|any) (?:that|which|who"
    r"|with|about)\b(?![^?]*\bhow(?! many)\b)",
    r"^\W*who (?:else |all |has |have )?(?:tried|tested|evaluated|used|benchmarked|experimented)\b"
    r"(?! (?:it|this|that|them|these)\b)",
    r"\b(?:does|has|is|do|did) any(?:one|body) (?:besides|apart from|other than|except|but)\b",
    r"^\W*(?:(?:are|is) there )?(?:any |all |the )?(?:mentions|uses?|usage) of [A-Z\"]",
    r"^\W*(?:[\w/'-]+ ){1,3}(?:benchmarks|datasets|surveys|theses)\W*$",
    rf"\b(?:all|any|what|which|other|more)(?: the| other| more)* (?:{_OTHER}|work|research"
    rf"|stuff) (?:is "
    r"there |are there |exists? |do (?:you|we) have )?(?:on|about|around)\b",
    r"\bhave (?:any |some )?(?:stuff|material|work|research|literature) (?:on|about)\b",
    rf"^\W*(?:any|every)(?:one|body) (?:\w+ ){{0,4}}?{_BOUND}",
    r"^\W*(?:is|are) [^?!]{2,40}? (?:mentioned|used|cited|named) (?:anywhere|somewhere|at all"
    r"|in here)",
    r"^\W*[^?!.:;]{3,60}[:;,-] *what(?:'s| is| do (?:you|we) have) (?:there|here|in here"
    r"|available)?\W*$",
    r"^\W*(?:[\w/'-]+ ){0,4}?(?:systems|frameworks|models|methods|approaches|tools) (?:that"
    r"|which) are\b"
    r"(?![^?]*\b(?:how|why|what|does|did|says?|than|it)\b)",
    r"\bpapers,? please\W*$|^\W*who(?:'s|'re| is| are) (?:working|doing|studying|using|training) ",
    r"^\W*(?:[\w/'-]+ ){0,3}(?:benchmarks|datasets|libraries|tools|studies|models|methods|systems) "
    r"[^?!.:;]{0,60}?,? (?:but not|except|excluding|without|leaving out|not counting)\b[^?!]*$",
    r"\ball papers\b|\b(?:every|each) (?:single )?article\b|\bcase studies (?:from|in|on|of"
    r"|about)\b",
    r"^\W*what(?:'s| is) (?:in|inside) (?:the|this|your) (?:collection|library|corpus|set) "
    r"(?:on|about|concerning|regarding)\b",
    r"^\W*(?:is|are) [^?!]{2,60}? (?:mentioned|used|cited|named|discussed|referenced) (?:in"
    r"|by) any "
    rf"(?:of the |of these )?{_PLAIN}\b",
    r"\bhow many(?: \w+){0,3}?,? (?:and|&) which\b",
    rf"\b(?:do|are|have|does|is) any of (?:the|these|your|those) (?:{_PLAIN}|{_OTHER})\b",
    r"\b(?:which|what) (?:authors|teams|groups|people) (?:\w+ )?(?-i:[a-z]+ed)\b",
    rf"^\W*(?:all |any |the |other |more )*{_OTHER} (?-i:[a-z]+ing|that|which|who)\b",
    rf"\bhow many (?:[\w-]+ )?{_OTHER} (?!(?:were|was|did|does|is|are|had|has|have|do|in|from|of|by"
    r"|to|for|they|it|the|found|find|show|showed|conclude|concluded)\b)(?-i:[a-z]+)\b",
    rf"\bhow many (?:of (?:the |these )?)?(?:[\w/'-]+ )?{_OTHER} (?:(?:do|are|have) (?:you|there"
    rf"|we|here|about|on)\b"
    rf"|(?:on|about|here|in here|in (?:this|the) collection)\b|{_USE}\b)",
    r"^\W*(?:[\w-]+ )?(?:surveys|overviews|tutorials|theses|dissertations)"
    r" (?:on|about|of|that|which|covering)\b",
    r"^\W*(?:which|what|list|any|all)(?: the| new)? (?:benchmarks|datasets|data sets|corpora)"
    r" (?:target|cover|measure|assess|focus on|are (?:there|introduced|about)|exist)\b",
    r"^\W*(?:any|all|list|the|every|which|what|show me|give me) (?:[\w-]+ )?"
    r"(?:surveys|theses|dissertations|tutorials|position papers|literature reviews|case studies)\b"
    r"(?! (?:say|show|find|conclude))",
    r"\bhow many (?:[\w-]+ )?(?:surveys|overviews|theses|dissertations|tutorials|position papers"
    r"|literature reviews"
    r"|systematic reviews)\b",
    r"^\W*(?:and |so )?how many (?:[\w-]+ ){0,2}(?:benchmarks|datasets|data sets|corpora|systems"
    r"|frameworks|libraries"
    r"|tools|optimizers|models) (?:are there|do you have|do we have|are in (?:here|this|the "
    r"collection)|here\b"
    r"|are (?:introduced|proposed|released) (?:here|in))",
    rf"\bhow many (?:of (?:them|these|those) )?{_ADVERB}{_USE}\b",
    rf"\b(?:do|does|are|have) (?:you|we|there|the|any) (?:\w+ )?(?:{_PLAIN}|{_OTHER}) (?:on"
    rf"|about|that|which|with|for|here|{_USE})\b",
    rf"\bin how many (?:of the )?{_PLAIN}\b|\bacross (?:all )?the {_PLAIN}\b|\bmore than one "
    rf"paper (?:on|about|that)\b",
    r"\b(?:benchmarks|datasets|data sets|corpora|systems|frameworks|libraries|tools|optimizers"
    r"|models|metrics|methods)"
    r" (?:[\w-]+ ){0,4}?(?:introduced|proposed|released|presented|mentioned|used|described"
    r"|contributed|created) "
    r"(?:here|in (?:this|the) collection|in here|by (?:these|the) papers|in (?:these|the) "
    r"papers)\b",
    r"\b(?:which|what) (?:authors|teams|groups|people) " + _USE + r"\b",
    r"\b(?:every|each) (?:single )?(?:paper|abstract)\b(?! (?:have|has|get))",
    rf"\b(?:all|any|other|more|some|several|further|similar) (?:of )?(?:the |these |your "
    rf")?(?:[\w/'-]+ ){{0,2}}?{_PLAIN}"
    r" (?:on|about|that|which|here|in (?:this|the|your)|with|using|mention\w*|you)\b",
    # "papers on X", "MoE papers?", "…: papers?"
    rf"^\W*(?:(?:please|and|so|all|the|any|other|more|list|new|recent|\w+) ){{0,2}}?{_PLAIN} "
    rf"(?:on|about|that|which|who|whose|with"
    r"|where|using|mentioning|related|w|not|(?-i:[a-z]+ing)|dealing|covering|proposing"
    r"|introducing|discussing"
    r"|involving|without|in which)\b",
    rf"(?:^|[.?!:;,-] ?)(?:the |which |what |any |other |and )?(?:[\w/'-]+ "
    rf"){{0,3}}?{_PLAIN}[\s?!.]*$",
    rf"\b(?:which|what) ones(?: are)?(?:[\s?!.]*$| {_ADVERB}{_USE}\b)",
    r"^\W*which (?:ones )?are (?:not |n't )?(?:about|on)\b",
    rf"\bwhich of (?:them|the papers|these papers|your papers|the abstracts) {_ADVERB}{_USE}\b",
    rf"^\W*who [\w -]{{0,24}}?{_BOUND}",
    r"\b(?:do (?:you|we) have|have you got) anything (?:on|about)\b|\bwhich ones are\b"
    r"|\bwhat all is there (?:on|about)\b",
    r"^\W*(?:(?:show|list|find|give)(?: me)? )?(?:everything|evrything|anything|all|whatever)(?: "
    r"(?:there is|you have|here|we have|in "
    r"here|else))*"
    r" (?:on|about|related to|regarding|concerning|to do with|dealing with|that (?:mentions?"
    r"|uses?))\b",
    r"\bwhat (?:else )?(?:is there|do you have|have you got|do we have|is here) (?:here )?(?:on"
    r"|about|regarding)\b",
    # who …, where plural is meant
    r"^\W*(?:and |so |but )?who (?:else|all|here|in here|in (?:this|the) collection|actually)\b"
    r"(?! (?:is|was|are) the\b)",
    rf"^\W*(?:and |so )?who {_ADVERB}{_USES} (?!(?:it|this|that|these|they|he|she)\b)",
    r"^\W*(?:and |so |is |does |has )?(?:anyone|anybody|any others?) else\b",
    r"^\W*whose (?:models?|abstracts?|titles?|systems?|methods?|training|experiments|code) (?:\w+ "
    r")?"
    r"(?:is|are|was|were|has|have|mention|name|contain|use|say|speak|run|ran|reach|beat)s?\b",
    # a bare plural with a bound or an exclusion, or one that asks itself at its end
    rf"^\W*(?:(?:which|what|list|all|any) )*(?:[\w/'-]+ ){{0,4}}(?:models|systems|methods"
    rf"|approaches|llms|works)"
    rf" (?:[\w/'-]+ ){{0,5}}?{_BOUND}",
    r"^\W*(?:[\w/'-]+ ){0,4}(?:models|systems|methods|papers|works) (?:but not|except|other than"
    r"|without|excluding)\b",
    r"\blist (?:them|all of them)\b|(?:^|[.,;:?!-] ?|\bme )(?:and )?all of them\b",
    r"\bwhich of (?:these|those|them|the papers|the abstracts)\b",
)
_LIST = re.compile("|".join(_LISTS), re.IGNORECASE)
_NOT_LIST = re.compile(
    r"\b(?:these|those|the|both|all) (?:two|three|four|five|2|3|4) (?:papers|works|studies"
    r"|systems|methods)\b"
    r"|\b(?:the )?(?:two|three|four|2|3|4) papers\b(?! (?:or|and) more)"
    r"|^\W*(?:which|what) (?:[\w-]+ ){1,8}?(?:does|did) (?:it|they|(?-i:[A-Z])[\w-]+)\b"
    r"(?! (?:appear|occur|get|turn|come|show|mentioned|used))"
    r"|\bwhich (?:one )?of (?:these|those|the) (?:two|three|four|2|3|4)\b"
    r"|\b(?:which|what) (?:single )?(?:paper|study|article|work|abstract)\b(?!s)"
    # papers that one paper read, or that are its data
    r"|\bhow many [^?]{0,60}\b(?:were|was|are|is|get|got|went|did) (?:[\w-]+ "
    r"){0,2}?(?:(?:review|annotat|survey"
    r"|index|collect|examin|includ|cover|link|analy[sz]|label+|select|judg)ed\b|read\b|run\b"
    r"|(?-i:in [A-Z])|into\b)"
    r"|\b(?:surveyed|reviewed|annotated|news|redacted) (?:papers|abstracts|articles)\b|\bthe "
    r"[\w-]+ papers (?:actually|define)"
    r"|(?<!in )\bhow many (?:[\w-]+ )?(?:papers|abstracts)[^?]*\b(?:(?-i:in [A-Z]\w*)|do you "
    r"(?:need|draw)|make up|with redacted)\b"
    r"|\b(?:in|of|from|by) (?:the|that|this) (?:[\w-]+ ){0,4}(?:paper|study|article)\b"
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
    text = without_preamble(squeeze(question))
    if _ELSEWHERE.search(text) and not _NOT_ELSEWHERE.search(text):
        return True
    return bool(_LIST.search(text)) and not _NOT_LIST.search(text)


def is_english(question: str) -> bool:
    """Whether the frame of folded *question* is not one of another language.

    >>> is_english("¿Cuantos resumenes nombran GSM8K?"), is_english("which papers name GSM8K?")
    (False, True)
    """
    return not _ELSEWHERE.search(squeeze(question))
