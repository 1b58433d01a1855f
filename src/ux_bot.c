
/*
 * Copyright (C) the nginx-ux authors
 *
 * Who asks: a person's browser or a program.  Two kinds of facts are gathered
 * in one pass over the bytes.
 *
 * Words (ux_bot_words.h).  Some settle the matter at once: "crawl", "bot",
 * "headless".  Others tell that a person is likely behind: a device, a
 * platform, an engine, a browser.  And some are there only to be passed over,
 * so that the "bot" in "Cubot" is not seen.  A word found is passed over as a
 * whole; where several fit, the longest is taken.
 *
 * Shape.  An e-mail or web address is what only a robot carries.  Browsers
 * begin with "Mozilla/" (long ago "Opera/") and name a platform, themselves,
 * or nothing at all: who cuts it down to "Mozilla/5.0" declares nothing.
 * Whatever begins otherwise ("curl/8.5.0", "Java/17", a bare word) is a
 * program unless it names a device or an engine and a browser: phones of old
 * and the apps of today do.  What follows "compatible;" must be a browser or
 * platform known here.
 *
 * Cost.  Each three bytes in a row are looked up in a filter of 4096 bits; if
 * they pass, which chance makes them do once in seventeen times, the words
 * with the same first two letters are compared.  So a byte is looked at by at
 * most as many words as share two letters, whatever the client sends; the
 * bytes of an address, and blanks before "compatible", once more.
 *
 * Any byte may occur.  Letters are those of ASCII; case does not matter.
 */

#include "ux_bot.h"


#define UX_BOT_WORD_MAX      22        /* bytes, and a zero */
#define UX_BOT_PREFIX        3         /* what the filter knows of a word */

#define UX_BOT_WORD(text, edge, fact)                                        \
    { text, sizeof(text) - 1, UX_BOT_EDGE_##edge, UX_BOT_##fact }


/* What must be at the ends of a word; see ux_bot_edges(). */
typedef enum {
    UX_BOT_EDGE_ANY = 0,
    UX_BOT_EDGE_LEFT = 1,
    UX_BOT_EDGE_RIGHT = 2,
    UX_BOT_EDGE_WHOLE = 3,
    UX_BOT_EDGE_FIRST = 4              /* of the whole User-Agent */
} ux_bot_edge_e;


/* Facts: of a word, and united of a User-Agent. */
enum {
    UX_BOT_NOTHING = 0,
    UX_BOT_DECLARED = 0x01,            /* a bot, says the word */
    UX_BOT_DEVICE = 0x02,              /* a person's, or a browser by name */
    UX_BOT_PLATFORM = 0x04,            /* runs browsers and servers alike */
    UX_BOT_ENGINE = 0x08,
    UX_BOT_PRODUCT = 0x10,
    UX_BOT_IE = UX_BOT_PLATFORM | UX_BOT_ENGINE | UX_BOT_PRODUCT,
    UX_BOT_MOZILLA = 0x20,             /* begins so */
    UX_BOT_COMPATIBLE = 0x40,          /* what comes next must be known */
    UX_BOT_RELAYED = 0x80,             /* another's name put in front */
    UX_BOT_PROBE = 0x100,              /* not the name of anything */
    UX_BOT_PARTS = 0x200               /* more than a bare word */
};


typedef struct {
    char      text[UX_BOT_WORD_MAX + 1];
    uint8_t   length;
    uint8_t   edge;                    /* ux_bot_edge_e */
    uint16_t  fact;
} ux_bot_word_t;


#include "ux_bot_words.h"


static unsigned ux_bot_special(ux_str_t ua, size_t at);
static bool ux_bot_verdict(unsigned facts, ux_str_t ua);
static bool ux_bot_bare(ux_str_t ua);
static bool ux_bot_mail(ux_str_t ua, size_t at);
static bool ux_bot_host(ux_str_t ua, size_t at);
static bool ux_bot_compatible(ux_str_t ua, size_t at, size_t next);
static const ux_bot_word_t *ux_bot_find(ux_str_t ua, size_t at);
static bool ux_bot_equal(const ux_bot_word_t *word, ux_str_t ua, size_t at);
static bool ux_bot_edges(const ux_bot_word_t *word, ux_str_t ua, size_t at);
static bool ux_bot_passes(uint32_t prefix);
static unsigned ux_bot_five(char c);
static char ux_bot_lower(char c);
static bool ux_bot_is_upper(char c);
static bool ux_bot_is_lower(char c);
static bool ux_bot_is_letter(char c);
static bool ux_bot_is_word(char c);


bool
ux_bot_check(ux_str_t user_agent)
{
    size_t                i, at, next;
    uint32_t              prefix;
    unsigned              facts;
    const ux_bot_word_t  *word;

    facts = 0;
    prefix = 0;
    next = 0;                          /* where a word may begin */

    for (i = 0; i < user_agent.len; i++) {
        facts |= ux_bot_special(user_agent, i);
        prefix = prefix << 5 | ux_bot_five(user_agent.data[i]);

        if (i + 1 >= next + UX_BOT_PREFIX && ux_bot_passes(prefix)) {
            at = i + 1 - UX_BOT_PREFIX;
            word = ux_bot_find(user_agent, at);

            if (word != NULL) {
                next = at + word->length;
                facts |= word->fact;

                if (word->fact == UX_BOT_COMPATIBLE
                    && !ux_bot_compatible(user_agent, at, next))
                {
                    return true;
                }
            }
        }

        if (facts & UX_BOT_DECLARED) {
            return true;
        }
    }

    return ux_bot_verdict(facts, user_agent);
}


/* What a byte tells that is neither letter nor digit. */
static unsigned
ux_bot_special(ux_str_t ua, size_t at)
{
    const char  c = ua.data[at];

    if (c > '@' || (c > '/' && c < '<')) {
        return 0;
    }

    switch (c) {

    case '/':
    case '(':
        return UX_BOT_PARTS;

    case '"':
    case '\'':
    case '<':
        return UX_BOT_PROBE;

    case '@':
        return ux_bot_mail(ua, at) ? UX_BOT_DECLARED : 0;

    case '+':
        return ux_bot_host(ua, at) ? UX_BOT_DECLARED : 0;

    default:
        return 0;
    }
}


/*
 * No word settled it.  Attacks written into the header declare nothing: they
 * are left to those who look for attacks.
 */
static bool
ux_bot_verdict(unsigned facts, ux_str_t ua)
{
    const unsigned  browser = UX_BOT_ENGINE | UX_BOT_PRODUCT;
    const unsigned  named = UX_BOT_PLATFORM | UX_BOT_PRODUCT;

    if (facts & UX_BOT_PROBE) {
        return false;
    }

    if (!(facts & UX_BOT_PARTS)
        || ((facts & UX_BOT_RELAYED) && !(facts & UX_BOT_MOZILLA)))
    {
        return true;
    }

    if (facts & UX_BOT_MOZILLA) {
        return !(facts & (UX_BOT_DEVICE | named)) && !ux_bot_bare(ua);
    }

    return !(facts & UX_BOT_DEVICE)
           && (facts & browser) != browser;
}


/* "Mozilla/5.0", and that is all. */
static bool
ux_bot_bare(ux_str_t ua)
{
    size_t  i;

    for (i = sizeof("Mozilla/") - 1; i < ua.len; i++) {
        if (ua.data[i] != '.' && (ua.data[i] < '0' || ua.data[i] > '9')) {
            return false;
        }
    }

    return true;
}


/* "@name.x": not "@111.0", not "@calendar=gregorian". */
static bool
ux_bot_mail(ux_str_t ua, size_t at)
{
    return at > 0 && ua.data[at - 1] != ' ' && ux_bot_host(ua, at);
}


/*
 * Behind the sign at this place: letter, letters, digits and dashes, a dot, a
 * letter.  A plus is the sign only where a word may begin: "537.36+".
 */
static bool
ux_bot_host(ux_str_t ua, size_t at)
{
    char    c;
    size_t  i;

    if (ua.data[at] == '+' && at > 0
        && ux_bot_is_word(ua.data[at - 1]))
    {
        return false;
    }

    for (i = at + 1; i < ua.len; i++) {
        c = ua.data[i];

        if (c == '.') {
            return i > at + 1 && ux_bot_is_letter(ua.data[at + 1])
                   && i + 1 < ua.len && ux_bot_is_letter(ua.data[i + 1]);
        }

        if (!ux_bot_is_word(c) && c != '-') {
            return false;
        }
    }

    return false;
}


/*
 * Old browsers said "(compatible; MSIE 6.0"; all else that does is a bot.
 * "MSIE 6.0 compatible; OpenTV" says something of MSIE, not of what follows.
 */
static bool
ux_bot_compatible(ux_str_t ua, size_t at, size_t next)
{
    const ux_bot_word_t  *word;

    while (at > 0 && ua.data[at - 1] == ' ') {
        at--;
    }

    if (at > 0 && ux_bot_is_word(ua.data[at - 1])) {
        return true;
    }

    while (next < ua.len && (ua.data[next] == ';' || ua.data[next] == ' ')) {
        next++;
    }

    word = ux_bot_find(ua, next);

    return word != NULL && !(word->fact & UX_BOT_DECLARED);
}


/* The longest word that begins here. */
static const ux_bot_word_t *
ux_bot_find(ux_str_t ua, size_t at)
{
    unsigned              pair;
    const ux_bot_word_t  *word, *end, *longest;

    if (ua.len - at < UX_BOT_PREFIX) {
        return NULL;
    }

    pair = ux_bot_five(ua.data[at]) << 5 | ux_bot_five(ua.data[at + 1]);
    end = &ux_bot_words[ux_bot_pairs[pair + 1]];
    longest = NULL;

    /* A longer word stands after the shorter one that it begins with. */

    for (word = &ux_bot_words[ux_bot_pairs[pair]]; word < end; word++) {

        if (ux_bot_equal(word, ua, at) && ux_bot_edges(word, ua, at)) {
            longest = word;
        }
    }

    return longest;
}


static bool
ux_bot_equal(const ux_bot_word_t *word, ux_str_t ua, size_t at)
{
    size_t  i;

    if (word->length > ua.len - at) {
        return false;
    }

    for (i = 0; i < word->length; i++) {

        if (ux_bot_lower(ua.data[at + i]) != word->text[i]) {
            return false;
        }
    }

    return true;
}


/*
 * A word begins after anything but a letter or digit, or as "Bot" in
 * "SiteBot" does, and ends before anything but a letter.
 */
static bool
ux_bot_edges(const ux_bot_word_t *word, ux_str_t ua, size_t at)
{
    char  first, before, after;

    first = ua.data[at];
    before = (at > 0) ? ua.data[at - 1] : ' ';
    after = (at + word->length < ua.len) ? ua.data[at + word->length] : ' ';

    if (word->edge == UX_BOT_EDGE_FIRST) {
        return at == 0;
    }

    if ((word->edge & UX_BOT_EDGE_LEFT)
        && ux_bot_is_word(before)
        && (ux_bot_is_upper(before) || !ux_bot_is_upper(first)))
    {
        return false;
    }

    return !(word->edge & UX_BOT_EDGE_RIGHT) || !ux_bot_is_letter(after);
}


/* Can a word begin with these bytes?  Only five bits of each matter. */
static bool
ux_bot_passes(uint32_t prefix)
{
    uint32_t  bit;

    bit = ((prefix & 0x7fff) * 40503 >> 8) & 4095;

    return ux_bot_filter[bit / 64] >> (bit % 64) & 1;
}


/* Five bits, the same for upper and lower case. */
static unsigned
ux_bot_five(char c)
{
    return (unsigned char) c & 31u;
}


static char
ux_bot_lower(char c)
{
    return ux_bot_is_upper(c) ? (char) (c + ('a' - 'A')) : c;
}


static bool
ux_bot_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}


static bool
ux_bot_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}


static bool
ux_bot_is_letter(char c)
{
    return ux_bot_is_upper(c) || ux_bot_is_lower(c);
}


/* Letters and digits. */
static bool
ux_bot_is_word(char c)
{
    return ux_bot_is_letter(c) || (c >= '0' && c <= '9');
}
