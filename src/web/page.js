/*!
 * Copyright (C) the nginx-ux authors
 *
 * What the page can do beyond its HTML, which is whole without: stay up to
 * date in place, sort tables, draw charts of the history.
 *
 * State that the server does not know (how a table is sorted, what is open) is
 * put into each new page before it replaces what is shown.  uPlot and Idiomorph
 * may both be missing: no charts then, and main replaced as a whole.
 */

(() => {
    "use strict";

    const { draw, el, forget } = uxChart;

    const PERIOD = 5e3;              /* between updates; more when they fail */
    const LONGEST = 60e3;
    const COSTLY = 20;               /* times what an answer took */
    const PATIENCE = 30e3;           /* with an answer that does not come */
    const HISTORY = 60e3;            /* how old it may be */

    const sorts = new Map();         /* table => { column, falling } */
    const rings = new Map();         /* experiment => which of its history */
    const histories = new Map();     /* its address => { at, answer } */
    const visible = new Set();       /* charts in view */

    let paused = false;
    let timer = 0;
    let failures = 0;
    let updated = new Date();
    let busy = false;
    let pause, state, said;          /* what there is to see of it */

    const query = (selector, inside = document) =>
        [...inside.querySelectorAll(selector)];


    /* Tables: a button in each heading, rows in the chosen order. */

    const tableKey = table => table.id
        || (table.closest(".region") || table).getAttribute("aria-label")
        || table.caption && table.caption.textContent || "";

    /* Of columns that hold more than drawings. */
    const headings = table =>
        query("thead th[scope=col]", table).filter(th =>
            query("tbody tr", table).some(row =>
                row.cells[th.cellIndex]
                && row.cells[th.cellIndex].textContent.trim()));

    const prepareTable = table => {
        headings(table).forEach((th, column) => {
            if (!th.querySelector("button")) {
                const button = el("button",
                    { type: "button", class: "sort" });
                button.append(...th.childNodes);
                th.append(button);
            }
        });
        for (const body of table.tBodies) {
            [...body.rows].forEach((row, i) => {
                row.dataset.order = row.dataset.order || i;
            });
        }
        sortTable(table);
    };

    const cellOf = (row, column) => {
        const cell = row.cells[column];
        const number = cell && cell.dataset.sort !== undefined
            ? parseFloat(cell.dataset.sort) : NaN;
        return { number, text: cell ? cell.textContent.trim() : "" };
    };

    /* Cells without a number are last, whichever way it goes. */
    const compare = (a, b, sign) => {
        const numbers = !isNaN(a.number) + !isNaN(b.number);
        return numbers === 2 ? sign * (a.number - b.number)
            : numbers === 1 ? (isNaN(a.number) ? 1 : -1)
            : sign * a.text.localeCompare(b.text, "en", { numeric: true });
    };

    const sortTable = table => {
        const by = sorts.get(tableKey(table));
        headings(table).forEach((th, column) => {
            th.setAttribute("aria-sort", !by || by.column !== th.cellIndex
                ? "none" : by.falling ? "descending" : "ascending");
        });
        for (const body of table.tBodies) {
            sortRows(body, by);
        }
    };

    /* Between the headings of groups, which stay where they are. */
    const sortRows = (body, by) => {
        const order = row => +row.dataset.order;
        const all = [...body.rows].sort((a, b) => order(a) - order(b));
        const isGroup = row => row.cells.length === 1
            && row.cells[0].colSpan > 1;
        const sorted = [];
        let group = [];
        const flush = () => {
            if (by) {
                group.sort((a, b) => compare(cellOf(a, by.column),
                    cellOf(b, by.column), by.falling ? -1 : 1)
                    || order(a) - order(b));
            }
            sorted.push(...group);
            group = [];
        };
        for (const row of all) {
            if (isGroup(row)) {
                flush();
                sorted.push(row);
            } else {
                group.push(row);
            }
        }
        flush();
        if (sorted.some((row, i) => row !== body.rows[i])) {
            body.append(...sorted);
        }
    };

    /* Down, up, as it was; words the other way round. */
    const sortClicked = th => {
        const table = th.closest("table");
        const key = tableKey(table);
        const by = sorts.get(key);
        const column = th.cellIndex;
        const first = query("tbody tr", table).some(row =>
            !isNaN(cellOf(row, column).number));
        if (!by || by.column !== column) {
            sorts.set(key, { column, falling: first });
        } else if (by.falling === first) {
            sorts.set(key, { column, falling: !first });
        } else {
            sorts.delete(key);
        }
        sortTable(table);
    };


    /* Charts: drawn once they are in view. */

    /* An experiment's charts are shown where they can be drawn. */
    const prepareCharts = article => {
        if (window.uPlot && article.dataset.history) {
            for (const chart of query(".chart", article)) {
                chart.hidden = false;
            }
        }
    };

    const fetchJson = async address => {
        const answer = await fetch(address, { cache: "no-store",
            headers: { Accept: "application/json" } });
        if (!answer.ok) {
            throw new Error(answer.status);
        }
        return answer.json();
    };

    const fetchHistory = async address => {
        const kept = histories.get(address);
        if (kept && Date.now() - kept.at < HISTORY) {
            return kept.answer;
        }
        const answer = await fetchJson(address).catch(() => ({ rings: [] }));
        histories.set(address, { at: Date.now(), answer });
        return answer;
    };

    const drawVisible = async only => {
        const wanted = new Map();
        for (const chart of visible) {
            const article = chart.closest("article");
            if (!chart.isConnected || !article) {
                forget(chart);
                visible.delete(chart);
            } else if (!chart.hidden && (!only || only === article)) {
                wanted.set(article, [...wanted.get(article) || [], chart]);
            }
        }
        for (const [article, charts] of wanted) {
            try {
                const [history, now] = await Promise.all([
                    fetchHistory(article.dataset.history),
                    fetchJson(article.dataset.json)]);
                const ring = rings.get(article.id) || 0;
                charts.forEach(chart =>
                    draw(chart, article, ring, history, now));
            } catch (error) {
                /* the next update tries again, and says what is wrong */
            }
        }
    };

    const watcher = window.IntersectionObserver
        && new IntersectionObserver(entries => {
            for (const entry of entries) {
                if (entry.isIntersecting) {
                    visible.add(entry.target);
                } else {
                    visible.delete(entry.target);
                }
            }
            drawVisible();
        }, { rootMargin: "200px" });


    /* A page, the one that is shown or the next, gets what it has to keep. */

    const prepare = page => {
        query("table[data-sortable]", page).forEach(prepareTable);
        query("article.experiment", page).forEach(prepareCharts);
        if (page !== document) {
            for (const details of query("details[id]", page)) {
                const shown = document.getElementById(details.id);
                if (shown) {
                    details.open = shown.open;
                }
            }
        }
    };

    const announce = page => {
        const news = [];
        for (const article of query("article.experiment", page)) {
            const shown = document.getElementById(article.id);
            if (shown && shown.dataset.verdict !== article.dataset.verdict) {
                const badge = article.querySelector(".badge");
                news.push(article.dataset.experiment + ": "
                    + (badge ? badge.textContent : article.dataset.verdict));
            }
        }
        if (news.length) {
            said.textContent = news.join(". ");
        }
    };

    const keeps = node => node.nodeType === 1
        && (node.id === "live" || node.id === "said");

    const callbacks = {
        beforeNodeMorphed: (shown, next) => {
            if (keeps(shown)) {
                return false;
            }
            if (shown.nodeType !== 1) {
                return true;
            }
            if (shown.classList.contains("chart")) {
                shown.hidden = next.hidden;
                return false;
            }
            if (shown.nodeName === "TD"
                && shown.textContent !== next.textContent)
            {
                next.classList.add("changed");
            }
            return true;
        },
        beforeNodeRemoved: node => !keeps(node),
    };

    /* Without Idiomorph: less is kept, and no more is there to keep. */
    const replace = page => {
        const focused = document.activeElement
            && document.activeElement.id;
        for (const part of ["main", "nav", "header .facts"]) {
            const shown = document.querySelector(part);
            const next = page.querySelector(part);
            if (shown && next) {
                const places = new Map(query(".region", shown).map(region =>
                    [region.getAttribute("aria-label"), region.scrollLeft]));
                shown.replaceWith(next);
                query(".region", next).forEach(region => {
                    region.scrollLeft = places.get(
                        region.getAttribute("aria-label")) || 0;
                });
            }
        }
        const again = focused && document.getElementById(focused);
        if (again) {
            again.focus({ preventScroll: true });
        }
    };

    const show = text => {
        const page = new DOMParser().parseFromString(text, "text/html");
        if (!page.getElementById("main")) {
            throw new Error("no page");
        }
        const script = document.querySelector("script[src]");
        const other = page.querySelector("script[src]");
        prepare(page);
        announce(page);
        if (window.Idiomorph) {
            Idiomorph.morph(document.body, page.body, { callbacks });
        } else {
            replace(page);
        }
        watch();
        return !script || !other
            || script.getAttribute("src") === other.getAttribute("src");
    };

    const watch = () => {
        if (watcher) {
            query(".chart").forEach(chart => watcher.observe(chart));
        }
        drawVisible();
    };


    /* Updates: while somebody may be looking, and has not paused them. */

    const clock = date => date.toTimeString().slice(0, 8);

    const tell = (text, stale) => {
        state.textContent = text;
        state.classList.toggle("stale", !!stale);
    };

    const schedule = wait => {
        clearTimeout(timer);
        timer = 0;
        if (!paused && !document.hidden) {
            timer = setTimeout(update, wait);
        }
    };

    const update = async () => {
        if (busy) {
            return;
        }
        busy = true;
        let wait = PERIOD;
        const began = performance.now();
        try {
            const answer = await fetch(location.href.replace(/#.*/, ""),
                { cache: "no-store", headers: { Accept: "text/html" },
                  signal: AbortSignal.timeout(PATIENCE) });
            const type = answer.headers.get("Content-Type") || "";
            if (!answer.ok || !type.startsWith("text/html")) {
                throw new Error("status " + answer.status);
            }
            const text = await answer.text();
            wait = Math.max(wait, COSTLY * (performance.now() - began));
            if (!paused) {
                const same = show(text);
                failures = 0;
                updated = new Date();
                tell(same ? "Live, updated " + clock(updated)
                    : "Updated " + clock(updated) + "; the module is another"
                    + " version now: reload the page", !same);
            }
        } catch (error) {
            wait = Math.min(LONGEST, PERIOD * 2 ** ++failures);
            tell("Stale: no update since " + clock(updated)
                + ", next try in " + wait / 1e3 + " s", true);
        }
        busy = false;
        schedule(wait);
    };

    const pauseClicked = () => {
        paused = !paused;
        pause.textContent = paused ? "Resume updates" : "Pause updates";
        tell(paused ? "Paused, as of " + clock(updated)
            : "Live, updated " + clock(updated), paused);
        schedule(0);
    };

    const start = () => {
        pause = el("button", { type: "button", id: "pause" },
            "Pause updates");
        state = el("span", { id: "state" });
        said = el("p", { id: "said", role: "status", class: "unseen" });
        const header = document.querySelector("header") || document.body;
        header.append(el("p", { id: "live" }, state, " ", pause), said);
        pause.addEventListener("click", pauseClicked);
        tell("Live, updated " + clock(updated));

        document.addEventListener("click", event => {
            const sort = event.target.closest("button.sort");
            const ring = event.target.closest("button.ring");
            if (sort) {
                sortClicked(sort.closest("th"));
            } else if (ring) {
                const article = ring.closest("article");
                rings.set(article.id, +ring.dataset.ring);
                drawVisible(article);
            }
        });
        document.addEventListener("visibilitychange", () => schedule(0));
        window.addEventListener("resize", () => drawVisible());
        matchMedia("(prefers-color-scheme: dark)")
            .addEventListener("change", () => drawVisible());
        prepare(document);
        watch();
        schedule(PERIOD);
    };

    start();
})();
