/*!
 * Copyright (C) the nginx-ux authors
 *
 * A chart of an experiment's history: uPlot's picture, what it shows in words,
 * a legend that follows the pointer, and all of its figures as a table.  Only
 * what the content policy lets pass: styles are set by properties.
 */

const uxChart = (() => {
    "use strict";

    const pictures = new Map();      /* chart => what is drawn there */

    /* el("p", { class: "note" }, "text", other) */
    const el = (name, attributes, ...children) => {
        const made = document.createElement(name);
        for (const [key, value] of Object.entries(attributes || {})) {
            made.setAttribute(key, value);
        }
        made.append(...children);
        return made;
    };

    const MARKS = [[], [7, 4], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2]];

    const minus = text => text.replace("-", "\u2212");

    const percent = (value, digits) => {
        const number = value * 100;
        const places = digits !== undefined ? digits
            : Math.abs(number) >= 10 ? 1 : 2;
        return minus(number.toFixed(places)) + " %";
    };

    const signed = text => (parseFloat(text) > 0 ? "+" : "") + text;

    const plainNumber = value => Math.abs(value) >= 1000
        ? minus(Math.round(value).toLocaleString("en"))
        : minus(value.toPrecision(4));

    /* As many decimals as tell marks of an axis, in percent, apart exactly. */
    const placesOf = marks => {
        const step = Math.abs(marks[1] - marks[0]) * 100;
        let places = 0;
        while (places < 6 && Math.abs(step - step.toFixed(places)) > 1e-7) {
            places++;
        }
        return places;
    };

    const time = at => new Date(at * 1e3).toISOString().slice(0, 16)
        .replace("T", " ");

    /* What the report says now, as a point of the history. */
    const nowOf = (variant, metric) => {
        const figures = variant.metrics && variant.metrics[metric] || {};
        const versus = figures.vs_control || {};
        const first = (...names) => names.map(name => figures[name])
            .find(value => typeof value === "number");
        const ends = names => names.map(name => figures[name])
            .find(Array.isArray) || [null, null];
        const [low, high] = ends(["rate_ci", "mean_ci", "ratio_ci"]);
        const [liftLow, liftHigh] = versus.lift_ci || [null, null];
        return { value: first("rate", "mean", "ratio") ?? null, low, high,
            lift: versus.lift ?? null, lift_low: liftLow,
            lift_high: liftHigh };
    };

    /*
     * The history, and what is known now, whatever this machine's clock says,
     * unless the experiment has ended:
     * { at, epochs, lines: [{ name, index, value, low, high }] }.  Where hours
     * are missing there is a point of nothing.
     */
    const pointsOf = (history, now, metric, ringIndex, lift) => {
        const ring = history.rings[ringIndex] || { interval_seconds: 3600,
            at: [], epoch: [], variants: {} };
        const places = ring.at.map((at, i) => ({ at, i,
            epoch: ring.epoch[i] }));
        if (!places.length || !now.ended_at) {
            places.push({ i: "now", epoch: now.analysis_since_epoch,
                at: Math.max(Math.floor(Date.now() / 1e3),
                    (ring.at[ring.at.length - 1] || 0) + 1) });
        }
        const all = places.flatMap((place, n) => {
            const before = n ? places[n - 1].at + ring.interval_seconds
                : Infinity;
            return place.at < before + ring.interval_seconds / 2 ? [place]
                : [{ at: before, i: "gap", epoch: place.epoch }, place];
        });
        const names = Object.keys(now.variants);
        const lines = names.map((name, index) => {
            const kept = ((ring.variants[name] || {}).metrics || {})[metric]
                || {};
            const current = nowOf(now.variants[name], metric);
            const figure = key => all.map(({ i }) =>
                (i === "now" ? current[key] : (kept[key] || [])[i]) ?? null);
            return lift ? { name, index, value: figure("lift"),
                    low: figure("lift_low"), high: figure("lift_high") }
                : { name, index, value: figure("value"),
                    low: figure("low"), high: figure("high") };
        });
        return { at: all.map(({ at }) => at),
            epochs: all.map(({ epoch }) => epoch),
            lines: lift ? lines.slice(1) : lines };
    };

    const isShare = (now, metric) => {
        const variant = Object.values(now.variants)[0] || { metrics: {} };
        return ((variant.metrics || {})[metric] || {}).type === "conversion";
    };

    /*
     * Lines and the last intervals fill the picture; what an interval was at
     * its start may be cut off.
     */
    const rangeOf = (points, lift) => {
        const numbers = values => values.filter(value => value !== null
            && isFinite(value));
        const lasts = ends => points.lines.map(line =>
            numbers(line[ends]).pop());
        const all = numbers([lift ? 0 : null, ...points.lines.flatMap(line =>
            line.value), ...lasts("low"), ...lasts("high")].map(value =>
            value ?? null));
        if (!all.length) {
            return [0, 1];
        }
        const low = Math.min(...all);
        const high = Math.max(...all);
        const more = (high - low || Math.abs(high) || 1) * 0.35;
        return [lift ? low - more : Math.max(0, low - more), high + more];
    };

    /*
     * A first point is in the middle of a day; ten minutes have room.  What
     * uPlot makes of one point itself are years.
     */
    const spanOf = at => {
        const to = at[at.length - 1];
        return at.length > 1 ? [Math.min(at[0], to - 600), to]
            : [to - 43200, to + 43200];
    };

    /* Labels have minutes, in seconds here. */
    const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720]
        .map(minutes => minutes * 60);
    const DAYS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 60, 90, 180, 365]
        .map(days => days * 86400);

    const colour = name => getComputedStyle(document.documentElement)
        .getPropertyValue(name).trim();

    /* Hours, and the day below the first of each; days alone. */
    const ticksOf = (u, ticks) => ticks.map((at, i) => {
        const [day, hour] = time(at).slice(5).split(" ");
        return ticks[1] - ticks[0] >= 86400 ? day : hour
            + (i && time(ticks[i - 1]).slice(5, 10) === day ? ""
               : "\n" + day);
    });

    const optionsOf = picture => {
        const { lift, axis: format, told, plot } = picture;
        const text = colour("--quiet");
        const grid = { stroke: colour("--line"), width: 1 };
        const axis = { stroke: text, grid, ticks: { show: false },
            font: "12px system-ui, sans-serif" };
        const series = [{}];
        const bands = [];
        for (const line of picture.points.lines) {
            const stroke = colour("--v" + line.index % MARKS.length);
            series.push({ stroke, width: 2,
                dash: MARKS[line.index % MARKS.length],
                points: { show: () => picture.points.at.length < 3, size: 6,
                    fill: stroke } });
            const edge = { stroke: "transparent", width: 0,
                points: { show: false } };
            bands.push({ series: [series.length + 1, series.length],
                fill: stroke + "26" });
            series.push(edge, { ...edge });
        }
        return {
            width: plot.clientWidth, height: 208, series, bands,
            legend: { show: false },
            cursor: { y: false, drag: { x: false, y: false } },
            tzDate: at => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
            scales: { x: { range: () => spanOf(picture.points.at) },
                y: { range: () => rangeOf(picture.points, lift) } },
            axes: [{ ...axis, space: 60, size: 40, values: ticksOf,
                     incrs: [...MINUTES, ...DAYS] },
                   { ...axis, size: 64, values: (u, ticks) =>
                       ticks.map(format(ticks)) }],
            hooks: {
                setCursor: [u => told(u.cursor.idx)],
                drawAxes: [u => drawMarks(u, picture.points, lift)],
            },
        };
    };

    /* No difference, and where an epoch begins. */
    const drawMarks = (u, points, lift) => {
        const { left, top, width, height } = u.bbox;
        const line = (x1, y1, x2, y2) => {
            u.ctx.beginPath();
            u.ctx.moveTo(x1, y1);
            u.ctx.lineTo(x2, y2);
            u.ctx.stroke();
        };
        u.ctx.save();
        u.ctx.strokeStyle = colour("--quiet");
        u.ctx.lineWidth = devicePixelRatio;
        if (lift) {
            const y = u.valToPos(0, "y", true);
            line(left, y, left + width, y);
        }
        u.ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
        points.epochs.forEach((epoch, i) => {
            if (i && epoch !== points.epochs[i - 1]) {
                const x = u.valToPos(points.at[i], "x", true);
                line(x, top, x, top + height);
            }
        });
        u.ctx.restore();
    };

    const wordsOf = ({ name, points, format }) => {
        const end = points.at.length - 1;
        const say = (line, key) => line[key][end] === null ? "unknown"
            : format(line[key][end]);
        return name + ", from " + time(points.at[0]) + " to "
            + time(points.at[end]) + " UTC; at the end "
            + points.lines.map(line => line.name + " " + say(line, "value")
                + " (" + say(line, "low") + " to " + say(line, "high") + ")")
                .join(", ");
    };

    /* The same as a table, newest first. */
    const tableOf = ({ name, points, format }) => {
        const say = (line, key, i) => line[key][i] === null ? "–"
            : format(line[key][i]);
        const head = el("tr", {}, el("th", { scope: "col" }, "Time, UTC"),
            ...points.lines.map(line =>
                el("th", { scope: "col" }, line.name)));
        const rows = points.at.map((at, i) => el("tr", {},
            el("th", { scope: "row" }, time(at)),
            ...points.lines.map(line => el("td", {},
                say(line, "value", i),
                el("span", { class: "interval" }, " " + say(line, "low", i)
                    + " to " + say(line, "high", i))))));
        return el("table", {}, el("caption", {}, name),
            el("thead", {}, head), el("tbody", {}, ...rows.reverse()));
    };

    /* Names, with the values under the cursor, or the last. */
    const legendOf = picture => {
        const { lines } = picture.points;
        const values = lines.map(() => el("b", {}));
        const at = el("li", { class: "at" });
        picture.told = index => {
            const { points, format } = picture;
            const i = index ?? points.at.length - 1;
            at.textContent = time(points.at[i]);
            points.lines.forEach((line, n) => {
                const value = line.value[i];
                values[n].textContent = value === null ? "–" : format(value);
            });
        };
        return el("ul", { class: "legend" }, ...lines.map((line, i) =>
            el("li", { class: "v" + line.index % MARKS.length },
                line.name + " ", values[i])), at);
    };

    const ringButtons = (chosen, history) => el("span",
        { class: "rings", role: "group", "aria-label": "Time between points" },
        ...history.rings.map((one, i) => el("button",
            { type: "button", class: "ring", "data-ring": i,
              "aria-pressed": i === chosen },
            one.interval_seconds < 86400 ? "Hours" : "Days")));

    const forget = chart => {
        const picture = pictures.get(chart);
        if (picture && picture.uplot) {
            picture.uplot.destroy();
        }
        pictures.delete(chart);
    };

    /* What there is to draw, and how to say it. */
    const pictureOf = (chart, ring, history, now) => {
        const metric = chart.dataset.metric;
        const lift = chart.dataset.chart === "lift";
        const share = lift || isShare(now, metric);
        const points = pointsOf(history, now, metric, ring, lift);
        const put = digits => value => !share ? plainNumber(value)
            : lift ? signed(percent(value, digits)) : percent(value, digits);
        return {
            points, lift, ring, format: put(),
            axis: ticks => put(placesOf(ticks)),
            name: lift ? "Lift of " + metric + " over the control"
                : share ? "Rate of " + metric : "Mean of " + metric,
            known: points.lines.some(line =>
                line.value.some(value => value !== null)),
        };
    };

    const dataOf = points => [points.at, ...points.lines.flatMap(line =>
        [line.value, line.low, line.high])];

    /*
     * An experiment's chart; history and now are its JSON, ring the one of the
     * history to draw.  Drawn anew only if more has changed than its points.
     */
    const draw = (chart, article, ring, history, now) => {
        const next = pictureOf(chart, ring, history, now);
        const shown = pictures.get(chart);
        next.shape = JSON.stringify([next.name, next.known, next.ring,
            next.points.lines.map(line => line.name), history.rings.length,
            chart.clientWidth, colour("--text")]);
        if (!shown || shown.shape !== next.shape) {
            build(chart, article, history, next);
        } else if (shown.known) {
            shown.points = next.points;
            shown.uplot.setData(dataOf(next.points));
            fill(shown);
        }
    };

    const fill = picture => {
        picture.told();
        picture.plot.setAttribute("aria-label", wordsOf(picture));
        picture.region.replaceChildren(tableOf(picture));
    };

    const build = (chart, article, history, picture) => {
        const heading = el("p", { class: "chart-name" }, picture.name);
        const old = chart.querySelector("details");
        const focus = chart.contains(document.activeElement)
            ? document.activeElement : null;
        forget(chart);
        pictures.set(chart, picture);
        if (!picture.known) {
            chart.replaceChildren(heading, el("p", { class: "note" },
                picture.lift ? "There is nothing to compare yet."
                : "There is nothing to draw yet."));
            return;
        }
        if (!picture.lift && history.rings.length > 1) {
            heading.append(ringButtons(picture.ring, history));
        }
        const note = el("p", { class: "note" }, picture.lift
            ? "Shaded: the interval that holds whenever you look."
            : "Shaded: 95 % at one look.");
        picture.plot = el("div", { class: "plot", role: "img" });
        picture.region = el("div", { class: "region", role: "region",
            tabindex: 0, "aria-label": "Figures: " + picture.name + ", "
            + article.dataset.zone + " " + article.dataset.experiment });
        const figures = el("details", { class: "figures" },
            el("summary", {}, "The chart's figures"), picture.region);
        figures.open = !!old && old.open;
        chart.replaceChildren(heading, legendOf(picture), picture.plot, note,
            figures);
        fill(picture);
        picture.uplot = new uPlot(optionsOf(picture),
            dataOf(picture.points), picture.plot);
        if (focus) {
            const { ring } = focus.dataset;
            chart.querySelector(ring === undefined ? focus.localName
                : "[data-ring=\"" + ring + "\"]")
                .focus({ preventScroll: true });
        }
    };

    return { draw, el, forget };
})();
