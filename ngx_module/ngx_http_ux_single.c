
/*
 * Copyright (C) the nginx-ux authors
 *
 * A reload where there is no master.  nginx accepts no connections after it,
 * whatever modules it has; those that are kept go on in the same process with
 * the configuration before, which is never freed, while the memory of a zone
 * that was removed or has another size is unmapped at once.  We keep it.
 */

#include "ngx_http_ux_snapshot.h"


static ngx_uint_t ngx_http_ux_single_lives(ngx_http_ux_zone_t *zone,
    ngx_http_ux_main_conf_t *mcf);
static void ngx_http_ux_single_keep(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);


void
ngx_http_ux_single_reload(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *old, *mcf;

    old = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ux_module);
    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    /* timers of the old one, also where the new one has none */

    ngx_http_ux_look_start(cycle, NULL);
    ngx_http_ux_history_start(cycle, NULL);
    ngx_http_ux_snapshot_start(cycle, NULL);

    if (old != NULL) {
        zones = old->zones.elts;

        for (i = 0; i < old->zones.nelts; i++) {
            if (!ngx_http_ux_single_lives(zones[i], mcf)) {
                ngx_http_ux_single_keep(zones[i], cycle->log);
            }
        }
    }

    (void) ngx_http_ux_init_process(cycle);
}


static ngx_uint_t
ngx_http_ux_single_lives(ngx_http_ux_zone_t *zone,
    ngx_http_ux_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_http_ux_zone_t  **zones;

    if (mcf == NULL) {
        return 0;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->shm_zone->shm.addr == zone->shm_zone->shm.addr) {
            return 1;
        }
    }

    return 0;
}


/* What is counted there from now on is lost. */
static void
ngx_http_ux_single_keep(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_shm_t  page;

    ngx_http_ux_snapshot_last(zone, log);
    ngx_http_ux_restore_forget(zone);

    ux_file_unlock(zone->files->lock);
    zone->files->lock = -1;

    /* nginx is given another page to unmap */

    page = zone->shm_zone->shm;
    page.size = ngx_pagesize;

    if (ngx_shm_alloc(&page) == NGX_OK) {
        zone->shm_zone->shm.addr = page.addr;
        zone->shm_zone->shm.size = page.size;
    }
}
