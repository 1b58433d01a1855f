
/*
 * Copyright (C) the nginx-ux authors
 *
 * Codes of the document in plain words.
 */

#include "ux_words.h"

#include <string.h>


static const struct {
    ux_words_set_e  set;
    const char     *code;
    const char     *words;
}  ux_words_codes[] = {
    { UX_WORDS_VERDICT, "srm", "Do not trust" },
    { UX_WORDS_VERDICT, "untrusted", "Do not trust" },
    { UX_WORDS_VERDICT, "guardrail", "Guardrail harmed" },
    { UX_WORDS_VERDICT, "variant_better", "Variant better" },
    { UX_WORDS_VERDICT, "control_better", "Control better" },
    { UX_WORDS_VERDICT, "no_difference", "No difference" },
    { UX_WORDS_VERDICT, "inconclusive", "Inconclusive" },
    { UX_WORDS_VERDICT, "stopped", "Stopped too early" },
    { UX_WORDS_VERDICT, "collecting", "Not yet" },

    { UX_WORDS_STATE, "running", "Running" },
    { UX_WORDS_STATE, "scheduled", "Not started" },
    { UX_WORDS_STATE, "paused", "Paused" },
    { UX_WORDS_STATE, "closed", "Closed to new visitors" },
    { UX_WORDS_STATE, "served", "One variant for all" },
    { UX_WORDS_STATE, "removed", "Not configured any more" },

    { UX_WORDS_WAITING, "gate",
      "enough visitors: 500 of each pair, and 25 in each variant who "
      "converted and 25 who did not" },
    { UX_WORDS_WAITING, "min_runtime", "the minimum runtime" },
    { UX_WORDS_WAITING, "significance",
      "a significant difference (none is before the minimum runtime)" },
    { UX_WORDS_WAITING, "planned", "the planned number of visitors" },

    { UX_WORDS_PROBLEM, "srm", "Sample ratio mismatch." },
    { UX_WORDS_PROBLEM, "confirmation",
      "Visitors of the variants do not come back alike." },
    { UX_WORDS_PROBLEM, "crossover", "Visitors in two variants." },
    { UX_WORDS_PROBLEM, "eviction", "Visitors were forgotten." },
    { UX_WORDS_PROBLEM, "currency", "Amounts in another currency." },
    { UX_WORDS_PROBLEM, "snapshot", "Results are not being saved." },
    { UX_WORDS_PROBLEM, "zone_full", "The zone is full." },

    { UX_WORDS_ROLE, "goal", "goal" },
    { UX_WORDS_ROLE, "secondary", "secondary metric" },
    { UX_WORDS_ROLE, "guardrail", "guardrail" },

    { UX_WORDS_GUARDRAIL, "ok", "kept" },
    { UX_WORDS_GUARDRAIL, "unclear", "unclear" },
    { UX_WORDS_GUARDRAIL, "harmed", "harmed" },

    { UX_WORDS_STATUS, "ok", "compared" },
    { UX_WORDS_STATUS, "insufficient_data", "too few visitors" },
    { UX_WORDS_STATUS, "baseline_zero", "the control has none" },
    { UX_WORDS_STATUS, "zero_variance", "all alike" },
    { UX_WORDS_STATUS, "mixed_weights", "weights changed meanwhile" },

    { UX_WORDS_RATING, "good", "good" },
    { UX_WORDS_RATING, "needs_improvement", "needs improvement" },
    { UX_WORDS_RATING, "poor", "poor" },

    { UX_WORDS_DISCARDED, "excluded", "Excluded" },
    { UX_WORDS_DISCARDED, "override", "Variant asked for" },
    { UX_WORDS_DISCARDED, "no_consent", "Without consent" },
    { UX_WORDS_DISCARDED, "bot", "Bots" },
    { UX_WORDS_DISCARDED, "prefetch", "Prefetched" },
    { UX_WORDS_DISCARDED, "head", "HEAD requests" },
    { UX_WORDS_DISCARDED, "cross_site", "From other sites" },
    { UX_WORDS_DISCARDED, "cached", "Events of cached answers" },
    { UX_WORDS_DISCARDED, "bad_cookie", "Invalid cookies" },
    { UX_WORDS_DISCARDED, "bad_event", "Invalid events" },
    { UX_WORDS_DISCARDED, "unknown_event", "Unknown events" },
    { UX_WORDS_DISCARDED, "duplicate", "Duplicates" },
    { UX_WORDS_DISCARDED, "refund_excess", "Refunds beyond the revenue" },
    { UX_WORDS_DISCARDED, "not_exposed", "Events without an exposure" },
    { UX_WORDS_DISCARDED, "after_window", "Events after the window" },
    { UX_WORDS_DISCARDED, "zone_full", "No room in the zone" }
};


ux_str_t
ux_words(ux_words_set_e set, ux_str_t code)
{
    size_t    i;
    ux_str_t  found;

    if (set == UX_WORDS_NONE) {
        return code;
    }

    for (i = 0; i < sizeof(ux_words_codes) / sizeof(ux_words_codes[0]); i++) {
        found.data = ux_words_codes[i].code;
        found.len = strlen(found.data);

        if (ux_words_codes[i].set == set && ux_str_equal(found, code)) {
            found.data = ux_words_codes[i].words;
            found.len = strlen(found.data);
            return found;
        }
    }

    return code;
}
