#!/usr/bin/env python3

# Copyright (C) the nginx-ux authors
#
# A second opinion on the counting rules: keeps every visitor's whole history
# and counts it anew, from DESIGN.md section 4, at each report.  Reads the lines
# track_driver.c reads and prints the lines it prints; see there.
#
# It shares no idea with the C: no masks, no running state, no changes.  A
# funnel is a search through the history, a cart a stretch of it between two
# purchases, a sum a fold over it.

import sys
from collections import Counter, namedtuple


BUILT_IN = ["view_item", "add_to_cart", "begin_checkout", "add_shipping_info",
            "add_payment_info", "purchase", "refund"]

OK, ERROR, DECLINED, BUSY, FULL = range(5)

WAITING_MAX = 16        # events of an unconfirmed visitor
IDS_MAX = 8             # ids remembered
MONEY_MAX = 10 ** 12


Step = namedtuple("Step", "event optional")
Funnel = namedtuple("Funnel", "name cart within steps")
Total = namedtuple("Total", "event type")
Cart = namedtuple("Cart", "created furthest carried bought recovered")

# Something a visitor did.  `present`: the experiments configured then.
Exposure = namedtuple("Exposure", "experiment variant ms epoch present")
Event = namedtuple("Event", "name ms value currency id present")
Confirmation = namedtuple("Confirmation", "present")

# An exposure that stands, with the events it may count, in order.
Track = namedtuple("Track", "exposure at moved")


class Experiment:
    def __init__(self, name, variants, window, cap):
        self.name = name
        self.variants = variants
        self.window = window
        self.cap = cap
        self.epoch = 0
        self.present = True


class Zone:
    def __init__(self):
        self.events = list(BUILT_IN)
        self.funnels = []
        self.totals = [Total(None, "revenue")]
        self.experiments = {}
        self.room = 8
        self.histories = {}

    def present(self):
        return frozenset(e.name for e in self.experiments.values()
                         if e.present)


def number(word):
    return None if word == "-" else int(word)


def read(lines):
    zone = Zone()

    for line in lines:
        words = line.split()

        if not words or words[0].startswith("#"):
            continue

        if words[0] == "report":
            report(zone, int(words[1]))
            continue

        if not configure(zone, words):
            happen(zone, words)


def configure(zone, words):
    kind, rest = words[0], words[1:]

    if kind == "event":
        zone.events.append(rest[0])

    elif kind == "funnel":
        steps = [Step(s.rstrip("?"), s.endswith("?")) for s in rest[3:]]
        cart = None if rest[1] == "-" else rest[1]
        zone.funnels.append(Funnel(rest[0], cart, int(rest[2]), steps))

    elif kind == "total":
        zone.totals.append(Total(rest[0], rest[1]))

    elif kind == "experiment":
        zone.experiments[rest[0]] = Experiment(rest[0], *map(int, rest[1:]))

    elif kind == "room":
        zone.room = int(rest[0])

    elif kind == "epoch":
        zone.experiments[rest[0]].epoch = int(rest[1])

    elif kind in ("remove", "restore"):
        zone.experiments[rest[0]].present = kind == "restore"

    else:
        return False

    return True


def happen(zone, words):
    kind, visitor, rest = words[0], words[1], words[2:]
    history = zone.histories.setdefault(visitor, [])

    if kind == "expose":
        experiment = zone.experiments[rest[0]]
        history.append(Exposure(rest[0], int(rest[1]), int(rest[2]),
                                experiment.epoch, zone.present()))

    elif kind == "send":
        history.append(Event(rest[0], int(rest[1]), number(rest[2]),
                             number(rest[3]), number(rest[4]),
                             zone.present()))

    elif kind == "confirm":
        history.append(Confirmation(zone.present()))

    else:
        sys.exit("track_reference: not a command: " + kind)


def report(zone, now):
    counts = Counter()

    for history in zone.histories.values():
        accepted = accept(zone, history, counts)
        count_visitor(zone, accepted, now, counts)

    print("report", now)

    for name, value in counts.items():
        if value != 0:
            print(name, value)


# What the zone says of every request at once, confirmed or not.  Returns the
# history without what was refused.
def accept(zone, history, counts):
    accepted = []
    ids = []
    waiting = 0
    confirmed = False

    for fact in history:
        if isinstance(fact, Confirmation):
            if not confirmed:
                counts["zone.provisional"] -= 1
                accepted.append(fact)

            confirmed = True

        elif isinstance(fact, Exposure):
            status = judge_exposure(zone, fact, accepted)
            counts["status.expose.%d" % status] += 1

            if status == OK:
                accepted.append(fact)

        else:
            reason = judge_event(fact, ids)

            if reason is not None:
                counts["zone.discarded." + reason] += 1
                counts["status.send.%d" % DECLINED] += 1
                continue

            count_zone_event(fact, counts)

            if fact.id is not None:
                ids = (ids + [(fact.name, fact.id)])[-IDS_MAX:]

            if not confirmed and waiting == WAITING_MAX:
                counts["zone.discarded.zone_full"] += 1
                counts["status.send.%d" % FULL] += 1
                continue

            waiting += not confirmed
            counts["status.send.%d" % OK] += 1
            accepted.append(fact)

    return accepted


def judge_exposure(zone, exposure, accepted):
    known = {f.experiment for f in accepted if isinstance(f, Exposure)}

    if exposure.experiment not in exposure.present:
        # Its own assignment, if any, is not seen while it is removed.
        return FULL if len(known) >= zone.room else DECLINED

    if exposure.experiment in known or len(known) < zone.room:
        return OK

    return FULL


def judge_event(event, ids):
    if event.id is not None and (event.name, event.id) in ids:
        return "duplicate"

    if event.name == "refund" and event.value is None:
        return "bad_event"

    if event.value is not None and event.value > MONEY_MAX:
        return "bad_event"

    return None


def count_zone_event(event, counts):
    counts["zone.events." + event.name] += 1

    if event.name == "purchase" and event.id is None:
        counts["zone.purchases_without_id"] += 1

    if event.value is not None and event.currency is not None:
        name = "zone.currency.%d" % event.currency
        sign = -1 if event.name == "refund" else 1
        counts[name + ".sum"] += sign * event.value
        counts[name + ".count"] += 1


# Counts of arms: the exposures that stand, and what followed each.
def count_visitor(zone, accepted, now, counts):
    confirmations = [i for i, f in enumerate(accepted)
                     if isinstance(f, Confirmation)]
    confirmed = bool(confirmations)
    tracks = find_tracks(accepted)

    for track in tracks:
        counts[where(track) + "assigned"] += 1

    if not confirmed:
        return

    timeline = counted_events(accepted, confirmations[0])
    count_discards(zone, timeline, tracks, counts)

    for track in tracks:
        counts[where(track) + "visitors"] += 1
        counts[where(track) + "moved"] += track.moved

        before = [e for at, e in timeline if at < track.at]
        mine = [(i, e) for i, (at, e) in enumerate(timeline)
                if at > track.at and takes(zone, track, e)]

        count_events(track, [e for _, e in mine], counts)
        count_steps(zone, track, [e for _, e in timeline], before, mine,
                    counts)
        count_totals(zone, track, [e for _, e in mine], counts)

        for funnel in zone.funnels:
            if funnel.cart is not None:
                carts, lacking = find_carts(funnel, track, before,
                                            [e for _, e in mine])
                count_carts(where(track) + funnel.name, funnel, carts,
                            lacking, now, counts)


def where(track):
    e = track.exposure
    return "%s.%d.%d." % (e.experiment, e.epoch, e.variant)


# The first exposure to each experiment stands, with its epoch.
def find_tracks(accepted):
    tracks = []

    for at, fact in enumerate(accepted):
        if not isinstance(fact, Exposure):
            continue

        same = [f for f in accepted if isinstance(f, Exposure)
                and f.experiment == fact.experiment]

        if same[0] is fact:
            moved = any(f.variant != fact.variant for f in same)
            tracks.append(Track(fact, at, moved))

    return tracks


# Events with their places in the history.  What waited is counted under the
# configuration of the confirmation.
def counted_events(accepted, confirmed_at):
    timeline = []

    for at, fact in enumerate(accepted):
        if isinstance(fact, Event):
            if at < confirmed_at:
                present = accepted[confirmed_at].present
                fact = fact._replace(present=present)

            timeline.append((at, fact))

    return timeline


# May the exposure count the event, which came after it?
def takes(zone, track, event):
    experiment = track.exposure.experiment
    window = zone.experiments[experiment].window

    return (experiment in event.present
            and (window == 0 or event.ms <= track.exposure.ms + window))


def count_discards(zone, timeline, tracks, counts):
    for i, (at, event) in enumerate(timeline):
        earlier = [e for _, e in timeline[:i]]

        if is_money(event) and event.name == "refund" \
           and event.value > revenue(earlier):
            counts["zone.discarded.refund_excess"] += 1
            continue

        asked = [t for t in tracks if t.at < at
                 and t.exposure.experiment in event.present]

        if asked and not any(takes(zone, t, event) for t in asked):
            counts["zone.discarded.after_window"] += 1


def count_events(track, events, counts):
    for name, n in Counter(e.name for e in events).items():
        counts[where(track) + name + ".visitors"] += 1
        counts[where(track) + name + ".count"] += n


# Place in the whole life at which each step of the funnel was first reached.
def reached(funnel, life):
    places = []

    for k, step in enumerate(funnel.steps):
        places.append(next((i for i, e in enumerate(life)
                            if e.name == step.event
                            and in_order(funnel, k, i, places)), None))

    return places


# Was every required step before step k reached before place i?
def in_order(funnel, k, i, places):
    return all(places[j] is not None and places[j] < i
               for j in range(k) if not funnel.steps[j].optional)


def count_steps(zone, track, life, before, mine, counts):
    for funnel in zone.funnels:
        places = reached(funnel, life)

        for k, step in enumerate(funnel.steps):
            name = "%s%s.%d." % (where(track), funnel.name, k + 1)

            counts[name + "before"] += any(e.name == step.event
                                           for e in before)
            counts[name + "in_order"] += any(
                e.name == step.event and in_order(funnel, k, i, places)
                for i, e in mine)


def is_money(event):
    return event.value is not None and event.currency is None


def revenue(events):
    total = 0

    for event in events:
        if is_money(event) and event.name == "purchase":
            total += event.value

        elif is_money(event) and event.name == "refund":
            total = max(0, total - event.value)

    return total


def count_totals(zone, track, events, counts):
    cap = zone.experiments[track.exposure.experiment].cap

    for i, total in enumerate(zone.totals):
        if total.type == "revenue":
            value = revenue(events)

        elif total.type == "count":
            value = sum(e.name == total.event for e in events)

        else:
            value = sum(e.value for e in events
                        if e.name == total.event and is_money(e))

        if cap and total.type in ("revenue", "mean"):
            value = min(value, cap)

        counts["%stotal%d.sum" % (where(track), i)] += value
        counts["%stotal%d.squares" % (where(track), i)] += value ** 2


# A step's place in the funnel, from 1; 0 for what is none.
def place(funnel, name):
    names = [s.event for s in funnel.steps]
    return names.index(name) + 1 if name in names else 0


# Events cut after each purchase; the last stretch ends without one.
def stretches(events):
    cut = [[]]

    for event in events:
        cut[-1].append(event)

        if event.name == "purchase":
            cut.append([])

    return cut


# How far a cart got: steps after it was opened and inside its window.
def furthest(funnel, created, start, events):
    return max([start] + [place(funnel, e.name) for e in events
                          if e.name not in ("purchase", funnel.cart)
                          and e.ms <= created + funnel.within])


# The cart the visitor has when the exposure happens, if still in its window:
# how far it got.  Outside experiments a cart event opens a new cart once the
# one before is abandoned.
def cart_at_exposure(funnel, exposure, before):
    events = stretches(before)[-1]
    created = None

    for i, event in enumerate(events):
        if event.name == funnel.cart \
           and (created is None or event.ms > created + funnel.within):
            created, first = event.ms, i

    if created is None or exposure.ms > created + funnel.within:
        return None

    return furthest(funnel, created, place(funnel, funnel.cart),
                    events[first + 1:])


def find_carts(funnel, track, before, events):
    carts = []
    lacking = 0

    brought = cart_at_exposure(funnel, track.exposure, before)

    for n, stretch in enumerate(stretches(events)):
        bought = stretch and stretch[-1].name == "purchase"
        opener = next((i for i, e in enumerate(stretch)
                       if e.name == funnel.cart), None)

        if n == 0 and brought is not None:
            created, start, after = track.exposure.ms, brought, stretch

        elif opener is not None:
            created = stretch[opener].ms
            start = place(funnel, funnel.cart)
            after = stretch[opener + 1:]

        else:
            lacking += bool(bought)
            continue

        in_time = bought and stretch[-1].ms <= created + funnel.within

        carts.append(Cart(created, furthest(funnel, created, start, after),
                          n == 0 and brought is not None, bool(in_time),
                          bool(bought and not in_time)))

    return carts, lacking


def count_carts(name, funnel, carts, lacking, now, counts):
    width = max(1000, funnel.within // 60)

    counts[name + ".without_cart"] += lacking

    for cart in carts:
        bucket_end = (cart.created // width + 1) * width
        settled = bucket_end + funnel.within <= now

        counts[name + ".created"] += 1
        counts[name + ".carried_in"] += cart.carried
        counts[name + ".purchased"] += cart.bought
        counts[name + ".recovered"] += cart.recovered
        counts[name + ".recovered_settled"] += cart.recovered and settled
        counts[name + ".settled"] += settled

        if not cart.bought and settled:
            counts[name + ".abandoned_after.%d" % cart.furthest] += 1

        elif not cart.bought:
            counts[name + ".open"] += 1


read(sys.stdin)
