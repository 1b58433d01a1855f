// What ux.js beside this file is made of ("make script" takes out comments and
// blanks): clicks, form errors and vitals of a page as beacons for ux_collect.
//
//     <script src="/ux.js" data-to="/beacon" data-vitals="on" defer></script>
//
//     <a data-ux="size_chart" ...>     a click is an event of that name
//     form with invalid fields         event form_error, once a try
//     ux({event: "nps", value: 9})     any event, or a metric of web-vitals:
//                                      onLCP(ux), then without data-vitals
//
// Sends with the sixth, and when the page is hidden or left.  No cookie, no
// storage, nothing of the page but what is named above.

{
    let s = document.currentScript.dataset, q = [], v = {}, p = {}, c = 0,
        a, t, z, f, id = "" + Math.random(), on = addEventListener,

        // Vitals that changed since, then all that waits.
        end = (e, b) => {
            for (e in v)
                p[e] != v[e] && ux({name: e, delta: v[e] - (p[e] || 0),
                    value: p[e] = v[e], id});
            q[0] && (b = JSON.stringify(q), q = [],
                navigator.sendBeacon(s.to, b)
                || fetch(s.to, {method: "POST", body: b, keepalive: 1}))
        },

        // Browsers that number interactions, and tell what is none as 0.
        h = ({interactionId: i, duration: d}) =>
            i && (d < v.INP || (v.INP = d)),

        // As web-vitals measures them, but for pages that are prerendered or
        // come back from the cache, and INP, which is the slowest of all.
        g = {
            navigation: e => v.TTFB = e.responseStart,

            // Not "first-paint", which is shorter.  CLS may stay 0.
            paint: e => e.name[11] && (v.FCP = e.startTime,
                v.CLS = self.LayoutShift && c),

            "largest-contentful-paint": e => v.LCP = e.startTime,

            // The first is told however short it was, others from 16 ms on.
            "first-input": h,
            event: h,

            // Windows of 5 s at most, without a gap of 1 s.
            "layout-shift": e => e.hadRecentInput
                || ((t = e.startTime) - z < 1e3 && t - a < 5e3
                    || (c = 0, a = t),
                    z = t, c += e.value, c > v.CLS && (v.CLS = c))
        };

    // A copy, as web-vitals goes on with its object, without what is long.
    ux = e => q.push({...e, entries: 0}) > 5 && end();

    on("visibilitychange", end);
    on("pagehide", end);

    on("click", e => (e = e.target.closest("[data-ux]"))
        && ux({event: e.dataset.ux}), 1);

    // All fields of a try are told in one go.
    on("invalid", e => f ||= setTimeout(e => f = ux({event: "form_error"})),
        1);

    // Entries from before are told, too.
    for (let type in s.vitals && g)
        new PerformanceObserver(l => l.getEntries().map(g[type]))
            .observe({type, buffered: 1, durationThreshold: 16})
}
