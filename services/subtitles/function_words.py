"""Words that decide where a line may break, by language.

Conjunctions and prepositions begin a phrase, so a line may well break before them. Binders
(articles, subject pronouns, auxiliaries, negations, numerals) belong to what follows. None of them
should end a line. Words that are as often something else ("you" as an object) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class FunctionWords:
    """The function words of one language, in lower case."""

    conjunctions: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    binders: frozenset[str] = frozenset()
    abbreviations: frozenset[str] = frozenset()
    """Words whose full stop ends no sentence."""
    capitalised_pairs: bool = True
    """Whether two capitalised words in a row are likely one name."""

    def is_bound(self, word: str) -> bool:
        """Whether a word leans on the one after it."""
        return word in self.binders or word in self.conjunctions or word in self.prepositions


def _words(
    conjunctions: str, prepositions: str, binders: str, abbreviations: str, *, pairs: bool = True
) -> FunctionWords:
    return FunctionWords(
        frozenset(conjunctions.split()),
        frozenset(prepositions.split()),
        frozenset(binders.split()),
        frozenset(abbreviations.split()),
        pairs,
    )


_NONE = FunctionWords()

_LANGUAGES = {
    "en": _words(
        "and or but nor so yet because although though unless until while when where whether if"
        " that which who whom whose than as since after before",
        "about above across against along"
        " among around at behind below beneath beside between beyond by despite down during except"
        " for from in inside into like near of off on onto out over past through throughout to"
        " toward towards under up upon with within without",
        "a an the this these those my your his our their its every each no some any i he she we"
        " they i'm i've i'd i'll he's he'd he'll she's she'd she'll we're we've we'd we'll they're"
        " they've they'd they'll you're you've you'd you'll it's is are was were am be been being"
        " has have had do does did will would can could shall should may might must not don't"
        " doesn't didn't can't cannot couldn't won't wouldn't shouldn't isn't aren't wasn't weren't"
        " very too one two three four five six seven eight nine ten eleven twelve twenty thirty"
        " forty fifty sixty seventy eighty ninety hundred thousand million billion",
        "mr. mrs. ms. dr. prof. st. sr. jr. rev. gen. col. capt. sgt. lt. vs. no. approx.",
    ),
    "de": _words(
        "und oder aber denn sondern doch weil obwohl wenn als ob dass damit bevor nachdem während"
        " bis seit wie wo",
        "an auf aus bei durch für gegen hinter in im ins am ans beim mit nach"
        " neben ohne über um unter von vom vor wegen zu zum zur zwischen",
        "der die das den dem des ein eine einen einem einer eines kein keine keinen mein meine"
        " meinen dein deine sein seine ihr ihre unser unsere jeder jede jedes dieser diese dieses"
        " ich er wir ist sind war waren bin bist hat habe haben hatte hatten wird werden wurde kann"
        " können soll sollen muss müssen nicht sehr zwei drei vier fünf sechs sieben acht neun zehn"
        " hundert tausend",
        "dr. prof. hr. fr. nr. bzw. ca. z.b. d.h. u.a. st.",
        pairs=False,
    ),
    "fr": _words(
        "et ou mais donc or ni car que qui dont où si quand lorsque puisque comme parce",
        "à de du des"
        " dans en par pour sans sous sur avec chez entre vers contre depuis pendant avant après",
        "le la les l' un une ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos"
        " leur leurs je j' tu il elle on nous ils elles ne n' est sont était a ont avait suis très"
        " plus deux trois quatre cinq six sept huit neuf dix cent mille au aux",
        "m. mm. mme. dr. st. etc.",
    ),
    "es": _words(
        "y e o u pero sino porque aunque que quien cuando donde si como mientras",
        "a al de del en con por para sin sobre entre hasta desde hacia contra según tras",
        "el la los las un una unos unas este esta estos estas ese esa mi mis tu tus su sus nuestro"
        " nuestra yo él ella nosotros ellos no se me te le es son era está están ha han había muy"
        " más dos tres cuatro cinco seis siete ocho nueve diez cien mil",
        "sr. sra. srta. dr. dra. ud. uds.",
    ),
    "it": _words(
        "e ed o ma perché che chi cui quando dove se come mentre",
        "a ad al alla di del della da dal"
        " in nel nella con su sul sulla per tra fra senza verso dopo prima",
        "il lo la i gli le un uno una questo questa quel quella mio mia tuo tua suo sua nostro"
        " nostra io lui lei noi loro non si è sono era ha ho hanno aveva molto più due tre quattro"
        " cinque sei sette otto nove dieci cento mille",
        "sig. sig.ra dott. prof. ing.",
    ),
    "pt": _words(
        "e ou mas porque que quem quando onde se como enquanto",
        "a ao à de do da dos das em no na nos"
        " nas com por pelo pela para sem sobre entre até desde contra após",
        "o os as um uma uns umas este esta esse essa meu minha teu tua seu sua nosso nossa eu ele"
        " ela nós eles não é são era está há tem têm tinha muito mais dois duas três quatro cinco"
        " seis sete oito nove dez cem mil",
        "sr. sra. dr. dra. prof.",
    ),
    "nl": _words(
        "en of maar want omdat hoewel als dat die toen terwijl",
        "aan achter bij binnen boven door in"
        " langs met na naar naast om onder op over per sinds te tegen tot tussen uit van voor"
        " zonder",
        "de het een deze dit mijn jouw zijn haar ons onze hun geen elke ik hij wij we ze is was"
        " waren ben heb heeft hebben had kan kunnen zal zullen moet moeten niet zeer heel twee drie"
        " vier vijf zes zeven acht negen tien honderd duizend",
        "dhr. mevr. dr. prof. nr. bijv. ca.",
    ),
}


def function_words(language: str | None) -> FunctionWords:
    """The function words of a BCP 47 tag; none for languages we have no list of."""
    return _LANGUAGES.get((language or "").split("-")[0].lower(), _NONE)
