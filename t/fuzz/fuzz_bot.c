
/*
 * Copyright (C) the nginx-ux authors
 *
 * A User-Agent.  Which are bots is for t/11-bot.t; here: no byte beyond the
 * end is looked at, case does not matter but where a word is told by it, and
 * an address makes a bot of everything that nothing else was made of.
 */

#include "fuzz.h"
#include "ux_bot.h"


static bool check_block(const void *bytes, size_t len);


const char *const  fuzz_words[] = {
    "Mozilla/5.0", " (Windows NT 10.0; Win64; x64)", " (X11; Linux x86_64)",
    " AppleWebKit/537.36", " (KHTML, like Gecko)", " Chrome/131.0.0.0",
    " Safari/537.36", " (compatible; ", "MSIE 6.0", "bot", "Bot", "Cubot",
    "crawl", "spider", "headless", "curl/8.5.0", "Googlebot/2.1", "Opera/",
    "+http://www.example.com/bot.html", "a@example.com", "@", "+", "; ", "(",
    ")", "/", "<", "'", "\"", "iPhone", "Android", "Dalvik", "python-requests",
    NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool      bot;
    char     *block;
    size_t    i;
    ux_str_t  agent;

    bot = check_block(data, size);

    fuzz_check(bot || size > 0);

    /* behind what is no word, an address settles what was not settled */

    block = malloc(size + 32);
    fuzz_check(block != NULL);
    memcpy(block, data, size);
    memcpy(block + size, " ; a@example.com", 16);

    if (!bot) {
        fuzz_check(check_block(block, size + 16));
    }

    /* a capital tells where a word begins: here all are, or none */

    for (i = 0; i < size; i++) {
        if (block[i] >= 'A' && block[i] <= 'Z') {
            block[i] = (char) (block[i] + 'a' - 'A');

        } else if (block[i] >= '0' && block[i] <= '9') {
            block[i] = '_';
        }
    }

    agent.data = block;
    agent.len = size;
    bot = ux_bot_check(agent);

    for (i = 0; i < size; i++) {
        if (block[i] >= 'a' && block[i] <= 'z') {
            block[i] = (char) (block[i] - 'a' + 'A');
        }
    }

    fuzz_check(ux_bot_check(agent) == bot);
    free(block);

    return 0;
}


static bool
check_block(const void *bytes, size_t len)
{
    bool      bot;
    ux_str_t  agent;

    agent = fuzz_copy(bytes, len);
    bot = ux_bot_check(agent);

    fuzz_check(ux_bot_check(agent) == bot);
    fuzz_free(agent);

    return bot;
}
