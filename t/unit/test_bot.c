
/*
 * Copyright (C) the nginx-ux authors
 *
 * A list of its own, so that it needs no data: what asks today, bots and
 * people.  The large lists are read by t/11-bot.t.
 */

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_bot.h"


#define WEBKIT     "AppleWebKit/537.36 (KHTML, like Gecko) "
#define WINDOWS    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT
#define MAC        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define LINUX      "Mozilla/5.0 (X11; Linux x86_64) " WEBKIT
#define CHROME     "Chrome/131.0.0.0 Safari/537.36"
#define ANDROID    "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/"         \
                   "UP1A.231005.007; wv) " WEBKIT "Version/4.0 "             \
                   "Chrome/131.0.6778.39 Mobile Safari/537.36"
#define IPHONE     "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) " \
                   "AppleWebKit/605.1.15 (KHTML, like Gecko) "

#define ROUNDS     20000
#define BYTES_MAX  512


static void test_bots(void);
static void test_people(void);
static void test_rules(void);
static void test_case(void);
static void test_cut(void);
static void test_bytes(void);
static void test_long(void);
static bool check(const char *s);
static bool check_exact(const char *bytes, size_t len);
static uint64_t next_random(void);


/* Search engines, previews, AI, monitors, libraries, driven browsers. */
static const char *const  bots[] = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) " WEBKIT
        "Chrome/131.0.6778.69 Mobile Safari/537.36 (compatible; "
        "Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mediapartners-Google",
    "AdsBot-Google (+http://www.google.com/adsbot.html)",
    "Mozilla/5.0 (compatible; Google-Extended/1.0)",
    "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    "GoogleOther",
    "Mozilla/5.0 " WEBKIT "(compatible; bingbot/2.0; "
        "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
        "Safari/605.1.15 (Applebot/0.1)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl)",
    "Screaming Frog SEO Spider/20.1",

    "Mozilla/5.0 " WEBKIT "; compatible; GPTBot/1.2",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "
        "ClaudeBot/1.0; +claudebot@anthropic.com)",
    "Mozilla/5.0 " WEBKIT "; compatible; ChatGPT-User/1.0",
    MAC WEBKIT CHROME "; compatible; OAI-SearchBot/1.0",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "
        "PerplexityBot/1.0)",
    "Perplexity-User/1.0",
    "Mozilla/5.0 (Linux; Android 5.0) " WEBKIT "Mobile Safari/537.36 "
        "(compatible; Bytespider; spider-feedback@bytedance.com)",
    "Mozilla/5.0 (compatible; Amazonbot/0.1)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "
        "Nobodys-Model/0.3) Chrome/131.0.0.0 Safari/537.36",

    "WhatsApp/2.23.20.0 A",
    "WhatsApp/784941593 CFNetwork/1568.100.1 Darwin/24.0.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Twitterbot/1.0",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 7_0 like Mac OS X) "
        "AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 Mobile/11A465 "
        "Safari/9537.53 BingPreview/1.0b",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
        "(via ggpht.com GoogleImageProxy)",

    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "Mozilla/5.0 (Windows NT 6.2; WOW64) " WEBKIT "Chrome/98 Safari/537.4 "
        "(StatusCake)",
    LINUX CHROME " DatadogSynthetics",
    "Datadog Agent/7.50.3",
    WINDOWS CHROME " Site24x7",
    "kube-probe/1.29",
    "ELB-HealthChecker/2.0",
    "check_http/v2.3.3 (monitoring-plugins 2.3.3)",
    "Blackbox Exporter/0.24.0",

    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "Python/3.12 aiohttp/3.9.5",
    "python-httpx/0.27.0",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Java/17.0.11",
    "axios/1.7.2",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "node",
    "undici",
    "libwww-perl/6.72",
    "Apache-HttpClient/4.5.14 (Java/17.0.11)",
    "GuzzleHttp/7",
    "Ruby",
    "PostmanRuntime/7.39.0",
    "HTTPie/3.2.2",
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) "
        "WindowsPowerShell/5.1.22621.963",
    "Scrapy/2.11.2 (+https://scrapy.org)",
    "masscan/1.3",
    "Mozilla/5.0 zgrab/0.x",
    "somebodys own script 3",

    LINUX "HeadlessChrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 "
        "(KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    LINUX CHROME " Puppeteer",
    "Mozilla/5.0 (Linux; Android 11; moto g power (2022)) " WEBKIT
        "Chrome/131.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse",
    LINUX CHROME " PTST/240715.130713",
    LINUX CHROME " PingdomPageSpeed/1.0",
    "Mozilla/5.0 (linux) " WEBKIT "jsdom/20.0.3",
};


static const char *const  people[] = {
    WINDOWS CHROME,
    WINDOWS CHROME " Edg/131.0.0.0",
    WINDOWS CHROME " OPR/116.0.0.0",
    WINDOWS "Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36",
    WINDOWS CHROME " Vivaldi/7.0.3495.10",
    WINDOWS "Discord/1.0.9172 Chrome/128.0.6613.186 Electron/32.2.2 "
        "Safari/537.36",
    MAC WEBKIT CHROME,
    MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
        "Safari/605.1.15",
    MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
        "Safari/605.1.15 Ddg/17.5",
    LINUX CHROME,
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT CHROME,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 "
        "Firefox/132.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 "
        "Firefox/132.0",
    "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; "
        ".NET CLR 2.0.50727; .NET4.0C; Media Center PC 6.0)",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; QQDownload 691)",
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) "
        "Presto/2.12.423 Version/12.16",
    "Lynx/2.9.0 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.8.3",

    IPHONE "Version/18.1 Mobile/15E148 Safari/604.1",
    IPHONE "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
    IPHONE "FxiOS/132.0 Mobile/15E148 Safari/605.1.15",
    IPHONE "EdgiOS/130.0.2849.80 Version/18.0 Mobile/15E148 Safari/604.1",
    IPHONE "GSA/343.0.695551749 Mobile/15E148 Safari/604.1",
    IPHONE "Mobile/15E148",
    IPHONE "Version/18.1 Mobile/15E148 Safari/604.1 "
        "(Ecosia ios@11.0.0.2311)",
    "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
        "Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
        "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 13; en-US; CPH2387) " WEBKIT
        "Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.6.2.1316 "
        "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 8.0.0; CUBOT_P20) " WEBKIT
        "Chrome/70.0.3538.110 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; Cubot KingKong 9) " WEBKIT
        "Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 12; moto g(50) 5G Build/S1RSS32.38-20; wv) "
        WEBKIT "Chrome/124.0.6367.180 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 12; HarmonyOS; TET-AN00; HMSCore 6.12) "
        WEBKIT "Chrome/99.0.4844.88 HuaweiBrowser/14.0.5.301 "
        "Mobile Safari/537.36",

    ANDROID,
    ANDROID " [FB_IAB/FB4A;FBAV/490.0.0.50.82;IABMV/1;]",
    "[FBAN/FB4A;FBAV/567.1.0.52.74;FBDM/{density=3.0,width=1080};"
        "FBMF/Google;FBPN/com.facebook.katana;FBDV/Pixel 8]",
    IPHONE "Mobile/22B83 [FBAN/FBIOS;FBAV/490.0.0.38.106;FBDV/iPhone15,3;"
        "FBMD/iPhone;FBSN/iOS;FBSV/18.1;FBSS/3;FBLC/en_GB;FBOP/5]",
    IPHONE "Mobile/22B83 Instagram 357.1.0.24.106 (iPhone15,3; iOS 18_1; "
        "en_IR@calendar=gregorian; en; scale=3.00; 1290x2796; 662944163)",
    ANDROID " Instagram 357.1.0.52.100 Android (34/14; 450dpi; 1080x2115; "
        "Google/google; Pixel 8; shiba; shiba; en_US; 662944206; IABMV/1)",
    ANDROID " musical_ly_2023700030 JsSdk/1.0 NetType/WIFI "
        "Channel/googleplay AppName/musical_ly app_version/37.0.3 "
        "ByteLocale/en BytedanceWebview/d8a21c6",
    IPHONE "Mobile/15E148 MicroMessenger/8.0.53(0x18003531) NetType/WIFI "
        "Language/zh_CN",
    IPHONE "Mobile/15E148 Safari Line/14.19.0",
    IPHONE "Mobile/15E148 Snapchat/13.14.0.42 (like Safari/8619.2.8.10.7)",
    ANDROID " Snapchat/13.13.0.38 (SM-S918B; Android 14#S918BXXS7CXK1#34; "
        "gzip; )",
    IPHONE "Mobile/15E148 [Pinterest/iOS]",
    ANDROID " [Pinterest/Android]",
    IPHONE "Mobile/15E148 Twitter for iPhone/10.69",
    IPHONE "Mobile/15E148 [LinkedInApp]/9.30.3225",
    ANDROID " GNews Android/2022137898",
    ANDROID " CamScanner/4.8.5.2310271827",
    ANDROID " KAKAOTALK/25.1.0 (INAPP)",
    ANDROID " NAVER(inapp; search; 1000; 12.10.0)",
    "ShopApp/3.2 (Android 14; Pixel 8) okhttp/4.12.0",
    "ShopApp/3.2 CFNetwork/1568.200.51 Darwin/24.1.0",
    "Dalvik/2.1.0 (Linux; U; Android 9; SM-G965U Build/PPR1.180610.011)",

    "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) " WEBKIT
        "94.0.4606.31/7.0 TV Safari/537.36",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Large Screen "
        "Safari/537.41 LG Browser/7.00.00(LGE; WEBOS1; 257; 1); "
        "webOS.TV-2014; LG NetCast.TV-2013 Compatible (LGE, WEBOS1, wired)",
    "HbbTV/1.4.1 (+DRM;Samsung;SmartTV2023:UAU8000;T-NKM2DEUC-1520;;) "
        "AppleWebKit/537.36",
    "Mozilla/5.0 (Linux; Android 9; AFTKA) " WEBKIT "Silk/130.3.5 like "
        CHROME,
    "Mozilla/5.0 (X11; Linux armv7l) " WEBKIT CHROME " CrKey/1.56.500000",
    "Roku/DVP-13.0 (13.0.0.4209-81)",
    "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/16.0 Safari/605.1.15",
    "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 "
        "(KHTML, like Gecko) NF/6.0.3.25.0 NintendoBrowser/5.1.0.32061",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) " WEBKIT
        CHROME " Edge/44.18363.8131",
    "Mozilla/5.0 (X11; Linux x86_64; Quest 3) " WEBKIT
        "OculusBrowser/35.3.0 Chrome/126.0.6478.122 VR Safari/537.36",
    "Nokia6280/2.0 (03.60) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    WINDOWS CHROME ",gzip(gfe) (via translate.google.com)",
};


int
main(void)
{
    test_bots();
    test_people();
    test_rules();
    test_case();
    test_cut();
    test_bytes();
    test_long();

    return done();
}


static void
test_bots(void)
{
    size_t  i;

    for (i = 0; i < sizeof(bots) / sizeof(bots[0]); i++) {
        ok(check(bots[i]), "bot: %s", bots[i]);
    }
}


static void
test_people(void)
{
    size_t  i;

    for (i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        ok(!check(people[i]), "person: %s", people[i]);
    }
}


/* Each rule, with what stands just beside it. */
static void
test_rules(void)
{
    ux_str_t  none = { NULL, 0 };

    ok(ux_bot_check(none), "no User-Agent");
    ok(check_exact("", 0), "an empty one");
    ok(check(" "), "a blank");
    ok(check("-"), "a dash");
    ok(!check("Mozilla/5.0"), "only the prefix of all browsers");
    ok(!check("Mozilla/5.0 Chrome/120 Safari/537.36"), "and their names");
    ok(check("Mozilla/5.0 Jorgee"), "and another name");
    ok(check("Mozilla/5.0 (Hydra)") && check("Mozilla/5.0 "),
       "and what no browser says");

    ok(check(LINUX CHROME " nobodys@example.org"), "an e-mail address");
    ok(!check(LINUX CHROME " ios@11.0.0"), "a version behind an @");
    ok(!check(LINUX CHROME " @example.org"), "nobody at an address");
    ok(!check(LINUX CHROME " a@"), "an @ at the end");
    ok(!check(LINUX CHROME " a@b."), "a dot at the end");
    ok(check(LINUX CHROME " (+example.org)"), "an address behind a plus");
    ok(!check("Mozilla/5.0 (X11; Linux) AppleWebKit/537.21+ (KHTML) a+b.c"),
       "a plus inside of a word");
    ok(check(LINUX CHROME " https://example.org/"), "a web address");
    ok(check(LINUX CHROME " www.example.org"), "one without a scheme");

    ok(check("Mozilla/5.0 (compatible; Fooish/1.0; Windows NT 10.0)"),
       "compatible, and not a browser");
    ok(check(LINUX CHROME " (compatible;"), "compatible, and nothing");
    ok(check(LINUX CHROME " (compatible; "), "compatible, and a blank");
    ok(!check("Mozilla/4.0 (compatible; MSIE 5.0 compatible; Fooish 5.0)"),
       "compatible, said of a browser");

    ok(check("Fooish, " WINDOWS CHROME), "a browser's name behind another");
    ok(check("Fooish/1.0 (Linux x86_64)"), "a server's platform");
    ok(!check("Fooish/1.0 (Linux; Android 14)"), "a person's device");
    ok(check("Mozilla/5.0 (Fooish)"), "a browser without a platform");

    ok(check(LINUX CHROME " SiteBot"), "a capital begins a word");
    ok(check(LINUX CHROME " sitebot/1"), "bot ends a word");
    ok(!check(LINUX CHROME " Bottle/1 Lisbottom/2"), "bot inside of words");
    ok(!check(LINUX CHROME " checkout SeoulApp/1"), "words that go on");
    ok(!check("x') OR 1=(SELECT 1)--"), "an attack declares nothing");
}


/* Case tells nothing but where words meet. */
static void
test_case(void)
{
    char      lower[BYTES_MAX];
    size_t    i, j, len, wrong, n;

    wrong = 0;
    n = 0;

    for (i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        len = strlen(people[i]);

        for (j = 0; j < len; j++) {
            lower[j] = people[i][j];

            if (lower[j] >= 'A' && lower[j] <= 'Z') {
                lower[j] = (char) (lower[j] + 32);
            }
        }

        n++;
        wrong += check_exact(lower, len);
    }

    ok(n > 50 && wrong == 0, "people in lower case: %zu of %zu are bots",
       wrong, n);
    ok(check("MOZILLA/5.0 (WINDOWS NT 10.0) HEADLESSCHROME/131"),
       "a bot in upper case");
}


/*
 * Every beginning of every line, in memory of just that size.  Without its
 * end a person's is still one as soon as the platform was named in full.
 */
static void
test_cut(void)
{
    size_t  cut, cuts, i, found, wrong;

    cuts = 0;
    found = 0;
    wrong = 0;

    for (i = 0; i < sizeof(bots) / sizeof(bots[0]); i++) {
        for (cut = 0; cut <= strlen(bots[i]); cut++) {
            cuts++;
            found += check_exact(bots[i], cut);
        }
    }

    for (cut = sizeof(WINDOWS) - 1; cut <= sizeof(WINDOWS CHROME) - 1; cut++) {
        wrong += check_exact(WINDOWS CHROME, cut);
    }

    ok(found > cuts / 2 && found < cuts, "%zu of %zu beginnings are bots",
       found, cuts);
    ok(wrong == 0, "a browser cut behind its platform is one");
}


/* Bytes of all values, and words put together without sense. */
static void
test_bytes(void)
{
    char         bytes[BYTES_MAX];
    size_t       i, len, n, part;
    unsigned     round, found;
    const char  *from;

    found = 0;

    for (round = 0; round < ROUNDS; round++) {
        len = 0;
        n = next_random() % 6;

        for (i = 0; i < n; i++) {
            from = (next_random() & 1) ? bots[next_random() % 40]
                                       : people[next_random() % 40];
            part = next_random() % 40 % (strlen(from) + 1);
            memcpy(bytes + len, from + strlen(from) - part, part);
            len += part;
            bytes[len++] = (char) next_random();
        }

        found += check_exact(bytes, len);
    }

    ok(found > ROUNDS / 10 && found < ROUNDS, "%u of %u mixtures are bots",
       found, (unsigned) ROUNDS);
}


static void
test_long(void)
{
    char          *bytes;
    size_t         i;
    ux_str_t       ua;
    const size_t   size = 8192;

    bytes = malloc(size);

    if (bytes == NULL) {
        ok(false, "out of memory");
        return;
    }

    for (i = 0; i < size; i++) {
        bytes[i] = (char) (0x80 + i % 128);
    }

    ua.data = bytes;
    ua.len = size;
    ok(ux_bot_check(ua), "8 kB of high bytes");

    memcpy(bytes, WINDOWS CHROME, sizeof(WINDOWS CHROME) - 1);
    ok(!ux_bot_check(ua), "a browser's and high bytes");

    memcpy(bytes + size - 9, " MyBot/1 ", 9);
    ok(ux_bot_check(ua), "and a bot's at the end");

    memset(bytes, 0, size);
    ok(ux_bot_check(ua), "8 kB of zeros");

    free(bytes);
}


static bool
check(const char *s)
{
    return check_exact(s, strlen(s));
}


/* A copy of just that size: a sanitizer sees every byte read beyond it. */
static bool
check_exact(const char *bytes, size_t len)
{
    bool      bot;
    char     *copy;
    ux_str_t  ua;

    copy = malloc(len ? len : 1);

    if (copy == NULL) {
        abort();
    }

    memcpy(copy, bytes, len);
    ua.data = copy;
    ua.len = len;

    /* with nothing to read, a pointer just behind the memory will do */

    if (len == 0) {
        ua.data = copy + 1;
    }

    bot = ux_bot_check(ua);
    free(copy);

    return bot;
}


/* xorshift64: the same in every run. */
static uint64_t
next_random(void)
{
    static uint64_t  x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return x >> 8;
}
