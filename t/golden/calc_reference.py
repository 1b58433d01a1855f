#!/usr/bin/env python3

# Copyright (C) the nginx-ux authors
#
# Writes calc_cases.json: inputs of `uxctl calc` and what must come out.  Exact
# rational arithmetic or brute force where there is a way, never the form in
# which the core computes it.
#
#   t/golden/calc_reference.py >t/golden/calc_cases.json

import json
import math
import random
from fractions import Fraction as F
from statistics import NormalDist

rng = random.Random(20260131)
cases = []


def add(kind, given, expected, rel=1e-9):
    cases.append({"kind": kind, "input": given, "expected": expected,
                  "rel": rel})


def z_of(alpha):
    return -NormalDist().inv_cdf(alpha / 2)


def tails(z):
    return math.erfc(abs(z) / math.sqrt(2))


def arm():
    n = rng.choice([20, 300, 5000, 44700, 1000000])
    return rng.randint(1, n - 1) if n < 100 else \
        max(1, int(n * rng.choice([.004, .03, .1, .5, .9]))), n


def both(a, b):
    return {"a": {"conversions": a[0], "visitors": a[1]},
            "b": {"conversions": b[0], "visitors": b[1]}}


def moments(x, n):
    p = F(x, n)
    return p, p * (1 - p) / n


# Roots of (p - q)^2 = z^2 q (1 - q) / n.
def wilson(x, n, z):
    z2 = F(z) ** 2
    a, b, c = n + z2, 2 * x + z2, F(x) ** 2 / n
    root = F(math.isqrt(int((b * b - 4 * a * c) * 10 ** 60)), 10 ** 30)
    return (b - root) / (2 * a), (b + root) / (2 * a)


# Roots of (m_B - R m_A)^2 = z^2 (e_B + R^2 e_A).
def fieller(ma, ea, mb, eb, z):
    z2 = F(z) ** 2
    a, b, c = ma * ma - z2 * ea, ma * mb, mb * mb - z2 * eb
    if a <= 0:
        return None, None
    root = F(math.isqrt(int((b * b - a * c) * 10 ** 80)), 10 ** 40)
    return float((b - root) / a - 1), float((b + root) / a - 1)


def sequential(d, se2, total, n_star, alpha):
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / n_star
    q = total * rho2
    ratio = float(F(d) ** 2 / F(se2))
    e = q / (q + 1) * ratio / 2 - math.log1p(q) / 2
    # the d at which e is 1/alpha
    z = math.sqrt(2 * (math.log(1 / alpha) + math.log1p(q) / 2) * (q + 1) / q)
    return e, min(1, math.exp(-e)) if e < 700 else 0, z


def rates():
    for _ in range(12):
        x, n = arm()
        conf = rng.choice([.9, .95, .99])
        lo, hi = wilson(x, n, z_of(1 - conf))
        add("wilson_ci", {"conversions": x, "visitors": n,
                          "confidence": conf},
            {"rate": x / n, "lo": float(lo), "hi": float(hi)})

    for i in range(14):
        a, b = arm(), arm()
        alpha = rng.choice([.05, .01])
        z = z_of(alpha)
        (pa, ea), (pb, eb) = moments(*a), moments(*b)
        la, ua = wilson(*a, z)
        lb, ub = wilson(*b, z)
        d = pb - pa
        pool = F(a[0] + b[0], a[1] + b[1])
        zp = float(d) / math.sqrt(pool * (1 - pool)
                                  * (F(1, a[1]) + F(1, b[1])))
        add("two_proportion_diff", dict(both(a, b), alpha=alpha),
            {"status": "ok", "diff": float(d), "z_pooled": zp,
             "p_pooled": tails(zp),
             "newcombe_lo": float(d) - math.sqrt((pb - lb) ** 2
                                                 + (ua - pa) ** 2),
             "newcombe_hi": float(d) + math.sqrt((ub - pb) ** 2
                                                 + (pa - la) ** 2)}, 1e-8)

        lo, hi = fieller(pa, ea, pb, eb, z)
        add("relative_uplift_proportion", dict(both(a, b), alpha=alpha),
            {"uplift": float(pb / pa - 1), "fieller_lo": lo,
             "fieller_hi": hi}, 1e-8)

        n_star = rng.choice([5000, 10000, 50000])
        e, p, zs = sequential(d, ea + eb, a[1] + b[1], n_star, alpha)
        lo, hi = fieller(pa, ea, pb, eb, zs)
        half = zs * math.sqrt(ea + eb)
        add("uplift_fieller_sequential",
            dict(both(a, b), n_star=n_star, alpha=alpha),
            {"z_critical": zs, "diff": float(d), "diff_lo": float(d) - half,
             "diff_hi": float(d) + half, "p": p, "uplift": float(pb / pa - 1),
             "uplift_lo": lo, "uplift_hi": hi}, 1e-8)

        se = math.sqrt(ea + eb)
        add("asymptotic_cs", {"estimate": float(d), "se": se,
                              "n_total": a[1] + b[1], "n_star": n_star,
                              "alpha": alpha},
            {"status": "ok", "z_critical": zs, "half_width": zs * se,
             "lo": float(d) - half, "hi": float(d) + half, "p": p}, 1e-8)


def stratified():
    for i in range(6):
        epochs, used = [], []
        for h in range(1 + i):
            n = rng.choice([1, 1, 900]) if h == 1 else rng.randint(2, 9000)
            m = rng.randint(300, 9000)
            epochs.append(both((min(n, rng.randint(0, n // 10 + 1)), n),
                               (rng.randint(m // 30, m // 10), m)))
            if n >= 2:
                used.append(h)
        rows = [[moments(e[k]["conversions"], e[k]["visitors"])
                 + (e[k]["visitors"],) for k in "ab"]
                for h, e in enumerate(epochs) if h in used]
        w = [F(a[2] * b[2], a[2] + b[2]) for a, b in rows]
        w = [x / sum(w) for x in w]
        ma, ea, mb, eb = (sum(f(x, a, b) for x, (a, b) in zip(w, rows))
                          for f in (lambda x, a, b: x * a[0],
                                    lambda x, a, b: x * x * a[1],
                                    lambda x, a, b: x * b[0],
                                    lambda x, a, b: x * x * b[1]))
        total = sum(a[2] + b[2] for a, b in rows)
        e, p, z = sequential(mb - ma, ea + eb, total, 10000, .05)
        half = z * math.sqrt(ea + eb)
        lo, hi = fieller(ma, ea, mb, eb, z) if ma else (None, None)
        add("stratified_sequential", {"epochs": epochs, "n_star": 10000,
                                      "alpha": .05},
            {"diff": float(mb - ma), "diff_lo": float(mb - ma) - half,
             "diff_hi": float(mb - ma) + half, "p": p,
             "uplift": float(mb / ma - 1) if ma else None, "uplift_lo": lo,
             "uplift_hi": hi, "epochs_used": [h + 1 for h in used]}, 1e-8)


def simpson(f, lo, hi, n=4000):
    h = (hi - lo) / n
    return h / 3 * sum(f(lo + i * h) * (1 if i in (0, n) else 4 if i % 2
                                        else 2) for i in range(n + 1))


# P(|T| > t): x = sqrt(df) tan u makes the density cos^(df - 1) u.
def t_tails(t, df):
    c = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) \
        / math.sqrt(math.pi)
    u = math.atan(abs(t) / math.sqrt(df))
    return 1 - 2 * c * simpson(lambda v: math.cos(v) ** (df - 1), 0, u)


def sample(n, spread, base):
    y = [F(rng.randint(0, spread), 100) + base for _ in range(n)]
    return y, sum(y), sum(v * v for v in y)


def text(v):
    v = v * 10 ** 4
    assert v.denominator == 1
    s = "%05d" % abs(v.numerator)
    return ("-" if v < 0 else "") + s[:-4] + "." + s[-4:]


def sums(y):
    return {"n": len(y[0]), "sum": text(y[1]), "sum_sq": text(y[2])}


def mean_and_error(y):
    n = len(y)
    m = sum(y) / n
    return m, sum((v - m) ** 2 for v in y) / (n - 1)


def means():
    for base in (0, 0, 10 ** 3, 10 ** 6, 10 ** 9, 10 ** 12):
        a = sample(rng.randint(4, 60), 300, base)
        b = sample(rng.randint(4, 60), 350, base)
        (ma, va), (mb, vb) = mean_and_error(a[0]), mean_and_error(b[0])
        ea, eb = va / len(a[0]), vb / len(b[0])
        df = float((ea + eb) ** 2 / (ea ** 2 / (len(a[0]) - 1)
                                     + eb ** 2 / (len(b[0]) - 1)))
        t = float(mb - ma) / math.sqrt(ea + eb)
        add("welch_t", {"a": sums(a), "b": sums(b), "alpha": .05},
            {"status": "ok", "mean_a": float(ma), "var_a": float(va),
             "diff": float(mb - ma), "se": math.sqrt(ea + eb), "df": df,
             "t": t, "p_two_sided": t_tails(t, df)}, 1e-8)

        e, p, z = sequential(mb - ma, ea + eb, len(a[0]) + len(b[0]), 100,
                             .05)
        lo, hi = fieller(ma, ea, mb, eb, z)
        half = z * math.sqrt(ea + eb)
        want = {"diff": float(mb - ma), "diff_lo": float(mb - ma) - half,
                "diff_hi": float(mb - ma) + half, "p": p, "z_critical": z}
        if base <= 1000:
            want.update(uplift=float(mb / ma - 1), uplift_lo=lo, uplift_hi=hi)
        add("uplift_fieller_sequential_mean",
            {"a": sums(a), "b": sums(b), "n_star": 100, "alpha": .05}, want,
            1e-8)

    for sign in (1, 1, -1, -1):
        arms, est = {}, []
        for k in "ab":
            n = rng.randint(10, 90)
            z = [F(rng.randint(1, 4)) for _ in range(n)]
            y = [sign * v * F(rng.randint(100, 5000), 100) for v in z]
            (my, vy), (mz, vz) = mean_and_error(y), mean_and_error(z)
            cov = sum((u - my) * (v - mz) for u, v in zip(y, z)) / (n - 1)
            # delta method: variance of y - r z, over n zbar^2
            r = my / mz
            var = (vy + r * r * vz - 2 * r * cov) / (n * mz * mz)
            est.append((r, var))
            arms[k] = {"n": n, "sum_num": text(sum(y)),
                       "sum_num_sq": text(sum(v * v for v in y)),
                       "sum_den": int(sum(z)),
                       "sum_den_sq": int(sum(v * v for v in z)),
                       "sum_num_den": text(sum(u * v
                                               for u, v in zip(y, z)))}
        (ra, va), (rb, vb) = est
        half = z_of(.05) * math.sqrt(va + vb)
        add("ratio_metric_delta", dict(arms, alpha=.05),
            {"ratio_a": float(ra), "ratio_b": float(rb),
             "diff": float(rb - ra), "diff_z_lo": float(rb - ra) - half,
             "diff_z_hi": float(rb - ra) + half}, 1e-8)


# An urn: the predictive probability of each label over its share.
def urn(labels, shares, prior):
    counts, e, path = [0] * len(prior), F(1), []
    for i in labels:
        e *= (prior[i] + counts[i]) / (sum(prior) + sum(counts)) / shares[i]
        counts[i] += 1
        path.append(e)
    return path


def log(e):
    return math.log(e.numerator) - math.log(e.denominator)


def splits():
    for _ in range(6):
        share = F(rng.choice([1, 5, 8, 9]), 10)
        k = rng.choice([20, 100, 400])
        prior = [k * (1 - share), k * share]
        labels = [int(rng.random() < .75) for _ in range(60)]
        path = urn(labels, [1 - share, share], prior)
        log_e = [log(e) for e in path]
        least = [min(1, float(1 / max(path[:i + 1])))
                 for i in range(len(path))]
        add("conversion_split_path",
            {"labels": labels, "share_b": float(share), "concentration": k},
            {"log_e": log_e, "p_running_min": least})

        b = sum(labels)
        a = len(labels) - b

        # bisection for the shares where the e-value is 20
        def rejected(theta):
            return (log(path[-1]) + a * math.log(1 - share)
                    + b * math.log(share) - a * math.log(1 - theta)
                    - b * math.log(theta)) >= math.log(20)

        bounds = []
        for out in (0.0, 1.0):
            inside = b / (a + b)
            for _ in range(200):
                mid = (out + inside) / 2
                if mid in (0.0, 1.0) or rejected(mid):
                    out = mid
                else:
                    inside = mid
            bounds.append(inside / (1 - inside)
                          * float((1 - share) / share) - 1)
        add("conversion_split_sequential",
            {"conversions_a": a, "conversions_b": b,
             "share_a": float(1 - share), "share_b": float(share),
             "concentration": k, "alpha": .05},
            {"log_bf": log_e[-1], "p": min(1, float(1 / path[-1])),
             "uplift_lo": bounds[0], "uplift_hi": bounds[1]}, 1e-7)

    for i in range(6):
        m = rng.randint(2, 5)
        weights = [rng.randint(1, 5) for _ in range(m)]
        shares = [F(w, sum(weights)) for w in weights]
        drift = weights[1:] + weights[:1] if i % 3 == 0 else weights
        labels = rng.choices(range(m), drift, k=200)
        k = rng.choice([100, 1000])
        e = urn(labels, shares, [k * s for s in shares])[-1]
        counts = [labels.count(i) for i in range(m)]
        add("srm_sequential", {"visitors": counts,
                               "probs": [float(s) for s in shares],
                               "concentration": k},
            {"log_bf": log(e), "p": min(1, float(1 / e))}, 1e-8)

        chi2 = sum((c - 200 * s) ** 2 / (200 * s)
                   for c, s in zip(counts, shares))
        half = m - 1
        c = math.exp(-math.lgamma(half / 2) - half / 2 * math.log(2))
        # x = u^2
        p = 1 - simpson(lambda u: 2 * c * u ** (half - 1)
                        * math.exp(-u * u / 2), 0, math.sqrt(chi2))
        want = {"chi2": float(chi2), "df": half}
        if p > 1e-4:
            want["p"] = p
        add("srm_chi2", {"visitors": counts, "weights": weights}, want, 1e-8)

        batches = [[labels[i:i + 20].count(j) for j in range(m)]
                   for i in range(0, 200, 20)]
        path = urn(labels, shares, [F(2)] * m)[19::20]
        add("srm_sequential_path",
            {"batches": batches, "probs": [float(s) for s in shares],
             "dirichlet": [2] * m},
            {"log_bf": [log(e) for e in path],
             "p_running_min": [min(1, float(1 / max(path[:i + 1])))
                               for i in range(len(path))]}, 1e-8)


# Polynomials in t with rational coefficients.
def times(p, q):
    out = [F(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            out[i + j] += a * b
    return out


def below(p):
    return [F(0)] + [c / (i + 1) for i, c in enumerate(p)]


def area(p):
    return sum(c / (i + 1) for i, c in enumerate(p))


def density(x, n):
    p = [F(1)]
    for _ in range(n - x):
        p = times(p, [F(1), F(-1)])
    p = [F(0)] * x + p
    total = area(p)
    return [c / total for c in p]


def bayes():
    for _ in range(8):
        arms = []
        for _ in range(rng.choice([2, 2, 3, 4])):
            n = rng.randint(0, 9)
            arms.append((rng.randint(0, n), n))
        f = [density(*a) for a in arms]
        cdf = [below(p) for p in f]
        best, loss = [], []
        everyone = [F(1)]
        for c in cdf:
            everyone = times(everyone, c)
        top = 1 - area(everyone)
        for i in range(len(arms)):
            p = f[i]
            for j in range(len(arms)):
                if j != i:
                    p = times(p, cdf[j])
            best.append(float(area(p)))
            loss.append(float(top - F(arms[i][0] + 1, arms[i][1] + 2)))
        if len(arms) == 2:
            add("bayes_beta_binomial",
                dict(both(*arms), prior_alpha=1, prior_beta=1),
                {"prob_b_gt_a": best[1], "loss_choose_a": loss[0],
                 "loss_choose_b": loss[1]}, 1e-8)
        k = len(arms)
        add("prob_best_multi",
            {"arms": [{"conversions": x, "visitors": n} for x, n in arms],
             "prior_alpha": 1, "prior_beta": 1, "floor": .02},
            {"prob_best": best, "expected_loss": loss,
             "thompson_weights_floor": [.02 + (1 - .02 * k) * b
                                        for b in best]}, 1e-7)


def multiple():
    for n in (1, 2, 5, 12):
        p = [rng.choice([1e-12, .001, .02, .2, 1]) * rng.random()
             for _ in range(n)]
        # the smallest level at which the procedure rejects it
        holm, bh = [], []
        for v in p:
            holm.append(max(min(1, (n - sum(u < w for u in p)) * w)
                            for w in p if w <= v))
            bh.append(min(min(1, n * w / sum(u <= w for u in p))
                          for w in p if w >= v))
        add("multiple_testing", {"p": p},
            {"holm": holm, "bh": bh,
             "n_reject_holm_05": sum(v <= .05 for v in holm),
             "n_reject_bh_05": sum(v <= .05 for v in bh)})

        e = [rng.choice([.5, 3, 30, 400, 4000]) for _ in range(n)]
        alpha = rng.choice([.05, .1])
        k = max([k for k in range(1, n + 1)
                 if k * sorted(e)[-k] / n >= 1 / alpha], default=0)
        edge = sorted(e)[-k] if k else math.inf
        add("e_bh", {"e": e, "alpha": alpha},
            {"n_reject": sum(v >= edge for v in e),
             "rejected": [int(v >= edge) for v in e]})


def sizes():
    phi = NormalDist().cdf
    for _ in range(6):
        p1 = rng.choice([.002, .03, .1, .3, .6])
        p2 = p1 * rng.choice([.9, 1.05, 1.1, 1.3])
        alpha, power = rng.choice([.05, .01]), rng.choice([.8, .9])
        za, zb = z_of(alpha), NormalDist().inv_cdf(power)
        mean = (p1 + p2) / 2
        alone = p1 * (1 - p1) + p2 * (1 - p2)
        n = ((za * math.sqrt(2 * mean * (1 - mean)) + zb * math.sqrt(alone))
             / (p2 - p1)) ** 2
        add("sample_size_two_proportions",
            {"p1": p1, "p2": p2, "alpha": alpha, "power": power},
            {"n_pooled_null": n, "ceil_pooled": math.ceil(n),
             "n_unpooled": ((za + zb) / (p2 - p1)) ** 2 * alone})

        n = rng.randint(1000, 90000)
        d = abs(p2 - p1)
        se = math.sqrt(alone / n)
        add("power_two_proportions",
            {"p1": p1, "p2": p2, "n_per_arm": n, "alpha": alpha},
            {"power": phi(d / se - za) + phi(-d / se - za)})

        lo, hi = 0.0, 1 - p1
        for _ in range(200):
            d = (lo + hi) / 2
            q = p1 + d
            if d < (za + zb) * math.sqrt((p1 * (1 - p1) + q * (1 - q)) / n):
                lo = d
            else:
                hi = d
        add("mde_proportion", {"baseline": p1, "n_per_arm": n,
                               "alpha": alpha, "power": power},
            {"mde_abs_unpooled": hi}, 1e-8)

        delta, var = rng.random(), rng.random() * 1000
        n = 2 * var * (za + zb) ** 2 / delta ** 2
        add("sample_size_mean", {"delta": delta, "variance": var,
                                 "alpha": alpha, "power": power},
            {"n_per_arm": n, "n_total": 2 * n})


# Buckets by their definition: as many leading bits as fit.
def bucket(v, bits):
    shift = max(0, v.bit_length() - bits - 1)
    return shift, v >> shift


def times_and_buckets():
    for bits, most in ((0, 1), (2, 100), (3, 1023), (4, 1024), (5, 70000)):
        seen = {bucket(v, bits) for v in range(most + 1)}
        add("log_linear_histogram",
            {"sub_bucket_bits": bits, "max_value": most},
            {"counters": len(seen), "max_rel_error_bound": .5 ** (bits + 1)})

    for _ in range(4):
        rows = [{"t": t, "events": rng.randint(0, 4),
                 "censored": rng.randint(0, 3)} for t in range(1, 9)]
        rows[-1]["censored"] += 1
        left = sum(r["events"] + r["censored"] for r in rows)
        s, g, surv, lo, hi, median = F(1), F(0), [], [], [], None
        z = z_of(.05)
        for r in rows:
            if left > r["events"]:
                g += F(r["events"], left * (left - r["events"]))
            s *= 1 - F(r["events"], left)
            left -= r["events"] + r["censored"]
            surv.append(float(s))
            if s == 1:
                lo.append(None)
                hi.append(None)
            else:
                theta = z * math.sqrt(g) / math.log(s)
                ends = sorted([float(s) ** math.exp(theta),
                               float(s) ** math.exp(-theta)])
                lo.append(ends[0])
                hi.append(ends[1])
            if median is None and s <= F(1, 2):
                median = r["t"]
        add("kaplan_meier", {"rows": rows, "alpha": .05},
            {"survival": surv, "lo": lo, "hi": hi, "median": median}, 1e-8)


def revenue():
    for cap in (None, 0, 1, 1200, 10 ** 15):
        totals, changes = {}, []
        for _ in range(60):
            who = "v%d" % rng.randint(1, 7)
            delta = rng.choice([rng.randint(-900, 2000),
                                rng.randint(0, 10 ** 12)])
            totals[who] = max(0, totals.get(who, 0) + delta)
            changes.append({"visitor": who, "delta": delta})
        r = [v if cap is None else min(v, cap) for v in totals.values()]
        add("capped_revenue", {"cap": cap, "changes": changes},
            {"n": len(r), "sum": str(sum(r)),
             "sum_of_squares": str(sum(v * v for v in r))}, 0)


def published():
    cookie = both((8502, 44700), (8279, 45489))
    add("two_proportion_diff", dict(cookie, alpha=.05),
        {"status": "ok", "p_pooled": .00155}, 1e-2)
    add("srm_chi2", {"visitors": [44700, 45489], "weights": [1, 1]},
        {"p": .0086, "df": 1}, 1e-3)
    add("two_proportion_diff",
        dict(both((3785, 17293), (3423, 17260)), alpha=.05),
        {"diff": -.0206, "newcombe_lo": -.0291, "newcombe_hi": -.0120}, 5e-3)
    add("two_proportion_diff",
        dict(both((2033, 17293), (1945, 17260)), alpha=.05),
        {"diff": -.0049, "newcombe_lo": -.0116, "newcombe_hi": .0019}, 3e-2)
    # Newcombe 1998, table II, (a)
    add("two_proportion_diff", dict(both((48, 80), (56, 70)), alpha=.05),
        {"newcombe_lo": .0524, "newcombe_hi": .3339}, 1e-3)


rates()
stratified()
means()
splits()
bayes()
multiple()
sizes()
times_and_buckets()
revenue()
published()

print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
