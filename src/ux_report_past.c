
/*
 * Copyright (C) the nginx-ux authors
 *
 * Experiments that are not configured any more: those removed, for as long as
 * the zone keeps them in sight, and the version before the configured one.
 *
 * What the zone keeps of them: see ux_result_past.c.
 */

#include "ux_report_private.h"


#define UX_REPORT_REMOVED_MS  (30 * 86400000ull)


static bool ux_report_past_shown(const ux_result_t *view, uint32_t i);
static bool ux_report_past_newest(const ux_result_t *view, uint32_t i);
static bool ux_report_past_named(const ux_result_t *view, uint32_t i,
    ux_str_t name);


uint32_t
ux_report_past_next(const ux_result_t *view, uint32_t last)
{
    uint32_t  i;
    ux_str_t  name;

    i = last != UX_RESULT_END ? view->tree.links[last].next
                              : view->tree.first;

    for ( /* void */ ; i != UX_RESULT_END; i = view->tree.links[i].next) {
        name = ux_result_entry_name(&view->tree.entries[i]);

        if (ux_name_check(name) && ux_report_past_shown(view, i)) {
            break;
        }
    }

    return i;
}


uint32_t
ux_report_removed_find(const ux_result_t *view, ux_str_t name)
{
    uint32_t  i;

    for (i = view->tree.first; i != UX_RESULT_END;
         i = view->tree.links[i].next)
    {
        if (ux_report_past_named(view, i, name)
            && ux_report_past_shown(view, i))
        {
            return i;
        }
    }

    return UX_RESULT_END;
}


/*
 * Removed, not too long ago.  Another version of a configured experiment is
 * shown with that, or not at all; of several versions the one removed last.
 */
static bool
ux_report_past_shown(const ux_result_t *view, uint32_t i)
{
    uint64_t  removed, stay;
    unsigned  k;

    removed = ux_registry_removed_ms(&view->tree.entries[i]);
    stay = view->model->removed_ms != 0 ? view->model->removed_ms
                                        : UX_REPORT_REMOVED_MS;

    if (removed == 0
        || (view->now_ms > removed && view->now_ms - removed >= stay))
    {
        return false;
    }

    for (k = 0; k < view->model->nexperiments; k++) {

        if (ux_report_past_named(view, i, view->model->experiments[k].name)) {
            return false;
        }
    }

    return ux_report_past_newest(view, i);
}


static bool
ux_report_past_newest(const ux_result_t *view, uint32_t i)
{
    uint32_t  k;
    uint64_t  removed, other;

    removed = ux_registry_removed_ms(&view->tree.entries[i]);

    for (k = view->tree.first; k != UX_RESULT_END;
         k = view->tree.links[k].next)
    {
        if (k == i
            || !ux_report_past_named(view, k,
                   ux_result_entry_name(&view->tree.entries[i])))
        {
            continue;
        }

        other = ux_registry_removed_ms(&view->tree.entries[k]);

        if (other > removed || (other == removed && k > i)) {
            return false;
        }
    }

    return true;
}


static bool
ux_report_past_named(const ux_result_t *view, uint32_t i, ux_str_t name)
{
    return ux_str_equal(ux_result_entry_name(&view->tree.entries[i]), name);
}


/* Of the versions below this one the highest. */
void
ux_report_put_previous(ux_json_t *experiment, ux_result_t *view,
    unsigned parts)
{
    uint32_t                i, found;
    const ux_entry_t       *entries;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    entries = view->tree.entries;
    found = UX_RESULT_END;

    for (i = view->tree.first; i != UX_RESULT_END;
         i = view->tree.links[i].next)
    {
        if (entries[i].value < model->version
            && ux_report_past_named(view, i, model->name)
            && (found == UX_RESULT_END
                || entries[i].value >= entries[found].value))
        {
            found = i;
        }
    }

    if (found == UX_RESULT_END) {
        ux_json_null(experiment, "previous");
        return;
    }

    ux_report_put_past(ux_json_object(experiment, "previous"), view, found,
                       parts & ~UX_REPORT_PREVIOUS);
}


void
ux_report_put_past(ux_json_t *object, ux_result_t *view, uint32_t i,
    unsigned parts)
{
    ux_result_gather_past(view, i);
    ux_report_put_experiment(object, view, parts);
}
