#!/usr/bin/env python3

# Copyright (C) the nginx-ux authors
#
# A second opinion on the counting rules: keeps every visitor's whole history
# and counts it anew, from DESIGN.md section 4, at each report.  Reads the
# lines track_driver.c reads and prints the lines it prints; see there.
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
MINUTE = 60 * 1000
PREFETCH = 5 * MINUTE
HOUR = 60 * MINUTE
VALUES_MAX = 65535      # of one visitor in one ratio
SURVEYS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
CENT = 100              # minor units of 1


Step = namedtuple("Step", "event optional")
Funnel = namedtuple("Funnel", "name cart within steps")
Total = namedtuple("Total", "event type")
Cart = namedtuple("Cart", "created furthest carried bought recovered")

# Something a visitor did.  `config`: the experiments configured then.
Exposure = namedtuple("Exposure", "experiment variant ms config")
Prefetch = namedtuple("Prefetch", "experiment variant ms config")
Settlement = namedtuple("Settlement", "ms config")
Crossing = namedtuple("Crossing", "experiment count ms config")
Event = namedtuple("Event", "name ms value currency id config")
Confirmation = namedtuple("Confirmation", "config")

# What an experiment's lines say at some moment.
Lines = namedtuple("Lines", "epoch state serve start stop")


# A place in the record.  The moments `at`, `crossed`, `dropped` are places in
# the history; `at` is None while it waits for a prefetched page.
class Track:
    def __init__(self, fact):
        self.experiment = fact.experiment
        self.at = None
        self.moved = False
        self.crossed = None
        self.counted_crossing = False
        self.dropped = None
        self.wait(fact.variant, fact.ms)

    def wait(self, variant, ms):
        self.variant = variant
        self.ms = ms

    def expose(self, at, variant, ms, config):
        self.at = at
        self.variant = variant
        self.ms = ms
        self.epoch = config[self.experiment].epoch

    def late(self, ms):
        return self.at is None and ms - self.ms > PREFETCH

    # At this place of the history, does it stand?
    def stands(self, at):
        return (self.at is not None and self.at < at
                and (self.crossed is None or self.crossed > at)
                and (self.dropped is None or self.dropped > at))


class Experiment:
    def __init__(self, name, variants, window, cap):
        self.name = name
        self.variants = variants
        self.window = window
        self.cap = cap
        self.present = True
        self.lines = Lines(0, "running", None, 0, 0)

    def change(self, **lines):
        self.lines = self.lines._replace(**lines)


class Zone:
    def __init__(self):
        self.events = list(BUILT_IN)
        self.funnels = []
        self.totals = [Total(None, "revenue")]
        self.experiments = {}
        self.room = 8
        self.histories = {}

    def config(self):
        return {e.name: e.lines for e in self.experiments.values()
                if e.present}


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
        zone.experiments[rest[0]].change(epoch=int(rest[1]))

    elif kind == "state":
        zone.experiments[rest[0]].change(state=rest[1])

    elif kind == "serve":
        zone.experiments[rest[0]].change(serve=number(rest[1]))

    elif kind == "schedule":
        zone.experiments[rest[0]].change(start=int(rest[1]),
                                         stop=int(rest[2]))

    elif kind in ("remove", "restore"):
        zone.experiments[rest[0]].present = kind == "restore"

    else:
        return False

    return True


def happen(zone, words):
    kind, visitor, rest = words[0], words[1], words[2:]
    history = zone.histories.setdefault(visitor, [])

    config = zone.config()

    if kind == "expose":
        history.append(Exposure(rest[0], int(rest[1]), int(rest[2]), config))

    elif kind == "prefetch":
        history.append(Prefetch(rest[0], int(rest[1]), int(rest[2]), config))

    elif kind == "settle":
        history.append(Settlement(int(rest[0]), config))

    elif kind == "cross":
        history.append(Crossing(rest[0], rest[1] != "0", int(rest[2]),
                                config))

    elif kind == "send":
        history.append(Event(rest[0], int(rest[1]), number(rest[2]),
                             number(rest[3]), number(rest[4]), config))

    elif kind == "confirm":
        history.append(Confirmation(config))

    else:
        sys.exit("track_reference: not a command: " + kind)


def report(zone, now):
    counts = Counter()

    for history in zone.histories.values():
        tracks = find_tracks(zone, history, counts)
        events = accept(zone, history, tracks, counts)
        count_unconfirmed(history, tracks, now, counts)
        count_visitor(zone, history, tracks, events, now, counts)

    print("report", now)

    for name, value in counts.items():
        if value != 0:
            print(name, value)


# What the zone says of every request at once, confirmed or not.  Returns the
# events that were not refused, by their places in the history.
def accept(zone, history, tracks, counts):
    accepted = []
    ids = []
    waiting = 0
    confirmed = False

    for at, fact in enumerate(history):
        if isinstance(fact, Confirmation):
            if not confirmed:
                counts["zone.provisional"] -= 1

            confirmed = True

        elif isinstance(fact, Event):
            reason = judge_event(fact, ids) \
                or judge_answer(zone, history, tracks, accepted, at)

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
            accepted.append((at, fact))

    return accepted


def running(config, experiment, ms):
    lines = config.get(experiment)

    return (lines is not None and lines.serve is None
            and lines.state == "running" and lines.start <= ms
            and not 0 < lines.stop <= ms)


# Running, or closed to newcomers only.
def counting(config, experiment, ms):
    lines = config.get(experiment)

    return (lines is not None and lines.serve is None
            and lines.state != "paused" and lines.start <= ms)


# Who was in which experiment from when to when.
def find_tracks(zone, history, counts):
    tracks = []

    for at, fact in enumerate(history):
        held = [t for t in tracks if t.dropped is None]

        if isinstance(fact, (Exposure, Prefetch)):
            act = expose if isinstance(fact, Exposure) else prefetch
            kind = act.__name__
            status = act(zone, tracks, held, fact, at)

        elif isinstance(fact, Settlement):
            kind = "settle"
            status = settle(held, fact, at)

        elif isinstance(fact, Crossing):
            kind = "cross"
            status = cross(held, fact, at)

        else:
            continue

        counts["status.%s.%d" % (kind, status)] += 1

    return tracks


# The track of an experiment, which is not seen while that is removed.
def seen(held, fact):
    return next((t for t in held if t.experiment == fact.experiment
                 and t.experiment in fact.config), None)


def expose(zone, tracks, held, fact, at):
    track = seen(held, fact)

    if track is not None and track.at is not None:
        if not counting(fact.config, fact.experiment, fact.ms):
            return DECLINED

        if track.crossed is None and fact.variant != track.variant:
            track.moved = True

        return OK

    if not running(fact.config, fact.experiment, fact.ms):
        return DECLINED

    if track is None:
        if not make_room(zone, held, fact, at):
            return FULL

        track = Track(fact)
        tracks.append(track)

    track.expose(at, fact.variant, fact.ms, fact.config)
    return OK


def prefetch(zone, tracks, held, fact, at):
    track = seen(held, fact)

    if not running(fact.config, fact.experiment, fact.ms):
        return DECLINED

    if track is None:
        if not make_room(zone, held, fact, at):
            return FULL

        tracks.append(Track(fact))

    elif track.at is None:
        track.wait(fact.variant, fact.ms)

    return OK


# The oldest of what can count no more goes first.
def make_room(zone, held, fact, at):
    dead = sorted((t for t in held if t.experiment not in fact.config
                   or t.late(fact.ms)), key=lambda t: t.ms)

    for _ in range(len(held) + 1 - zone.room):
        if not dead:
            return False

        dead.pop(0).dropped = at

    return True


def settle(held, fact, at):
    waiting = [t for t in held if t.at is None]

    for track in waiting:
        if track.late(fact.ms) \
           or not running(fact.config, track.experiment, fact.ms):
            track.dropped = at

        else:
            track.expose(at, track.variant, fact.ms, fact.config)

    return bool(waiting)


def cross(held, fact, at):
    track = seen(held, fact)

    if track is None or track.at is None or track.crossed is not None:
        return False

    track.crossed = at
    track.counted_crossing = fact.count
    return True


def judge_event(event, ids):
    if event.id is not None and (event.name, event.id) in ids:
        return "duplicate"

    if event.name == "refund" and event.value is None:
        return "bad_event"

    if event.value is not None and event.value > MONEY_MAX:
        return "bad_event"

    return None


# A survey is answered by a whole number of its scale.  A second answer counts
# for nothing unless an experiment stands open to it that has none.
def judge_answer(zone, history, tracks, accepted, at):
    event = history[at]

    if event.name not in SURVEYS:
        return None

    if answer_of(event) is None:
        return "bad_event"

    earlier = [(i, e) for i, e in accepted if e.name == event.name]
    confirmed = next((i for i, f in enumerate(history[:at])
                      if isinstance(f, Confirmation)), None)

    if not earlier:
        return None

    if confirmed is None:
        return "duplicate"

    counted = counted_events(history, earlier, confirmed)

    for track in tracks:
        if track.at is not None and asks(track, at, event, confirmed) \
           and takes(zone, track, event) \
           and not any(asks(track, i, e, confirmed) and takes(zone, track, e)
                       for i, e in counted):
            return None

    return "duplicate"


def answer_of(event):
    low, high = SURVEYS[event.name]

    if not is_money(event) or event.value % CENT != 0:
        return None

    value = event.value // CENT
    return value if low <= value <= high else None


# Of each survey the first answer only; the others happened for others.
def first_answers(mine):
    seen = set()
    kept = []

    for i, event in mine:
        if event.name in SURVEYS:
            if event.name in seen:
                continue

            seen.add(event.name)

        kept.append((i, event))

    return kept


def count_answers(track, events, counts):
    bought = any(e.name == "purchase" for e in events)

    for event in events:
        if event.name in SURVEYS:
            counts["%sanswer.%s.%d.%s" % (where(track), event.name,
                                          answer_of(event),
                                          "bought" if bought else "not")] += 1


def count_zone_event(event, counts):
    counts["zone.events." + event.name] += 1

    if event.name == "purchase" and event.id is None:
        counts["zone.purchases_without_id"] += 1

    if event.value is not None and event.currency is not None:
        name = "zone.currency.%d" % event.currency
        sign = -1 if event.name == "refund" else 1
        counts[name + ".sum"] += sign * event.value
        counts[name + ".count"] += 1


# Exposures whose visitor has not come back while the record knew of them; old
# once their minute is an hour past.
def count_unconfirmed(history, tracks, now, counts):
    for track in tracks:
        if track.at is None:
            continue

        known = history[:track.dropped]

        if any(isinstance(fact, Confirmation) for fact in known):
            continue

        minute_end = track.ms - track.ms % MINUTE + MINUTE

        age = "old" if minute_end + HOUR <= now else "young"

        counts[where(track) + "unconfirmed_" + age] += 1


# Counts of arms: the exposures that stand, and what followed each.
def count_visitor(zone, history, tracks, events, now, counts):
    tracks = [t for t in tracks if t.at is not None]
    confirmed = next((i for i, f in enumerate(history)
                      if isinstance(f, Confirmation)), None)

    for track in tracks:
        counts[where(track) + "assigned"] += 1
        counts[where(track) + "crossover"] += track.counted_crossing

    if confirmed is None:
        return

    timeline = counted_events(history, events, confirmed)
    count_discards(zone, timeline, tracks, confirmed, counts)

    for track in tracks:
        if track.dropped is not None and track.dropped < confirmed:
            continue

        before = [e for at, e in timeline if at < track.at]
        mine = [(i, e) for i, (at, e) in enumerate(timeline)
                if asks(track, at, e, confirmed) and takes(zone, track, e)]
        mine = first_answers(mine)
        events = [e for _, e in mine]

        count_occurrences(track, events, counts)

        if track.crossed is not None:
            continue

        counts[where(track) + "visitors"] += 1
        counts[where(track) + "moved"] += track.moved

        count_events(track, events, counts)
        count_steps(zone, track, [e for _, e in timeline], before, mine,
                    counts)
        count_totals(zone, track, events, counts)
        count_answers(track, events, counts)

        for funnel in zone.funnels:
            if funnel.cart is not None:
                carts, lacking = find_carts(funnel, track, before, events)
                count_carts(where(track) + funnel.name, funnel, carts,
                            lacking, now, counts)


def where(track):
    return "%s.%d.%d." % (track.experiment, track.epoch, track.variant)


# Events with their places in the history.  What waited is counted under the
# configuration of the confirmation.
def counted_events(history, events, confirmed):
    config = history[confirmed].config

    return [(at, e._replace(config=config) if at < confirmed else e)
            for at, e in events]


# Does the event, when it is counted, find the track there and its experiment
# on?
def asks(track, at, event, confirmed):
    return (track.at < at and track.stands(max(at, confirmed))
            and counting(event.config, track.experiment, event.ms))


# Is it in the window?
def takes(zone, track, event):
    window = zone.experiments[track.experiment].window

    return window == 0 or event.ms <= track.ms + window


def count_discards(zone, timeline, tracks, confirmed, counts):
    for i, (at, event) in enumerate(timeline):
        earlier = [e for _, e in timeline[:i]]

        if is_money(event) and event.name == "refund" \
           and event.value > revenue(earlier):
            counts["zone.discarded.refund_excess"] += 1
            continue

        asked = [t for t in tracks if asks(t, at, event, confirmed)]

        if asked and not any(takes(zone, t, event) for t in asked):
            counts["zone.discarded.after_window"] += 1


def count_events(track, events, counts):
    for name in {e.name for e in events}:
        counts[where(track) + name + ".visitors"] += 1


# These stay when a crossover leaves.
def count_occurrences(track, events, counts):
    for event in events:
        counts[where(track) + event.name + ".count"] += 1


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
    cap = zone.experiments[track.experiment].cap

    for i, total in enumerate(zone.totals):
        if total.type == "revenue":
            value = revenue(events)

        elif total.type == "count":
            value = sum(e.name == total.event for e in events)

        else:
            value = sum(e.value for e in events
                        if e.name == total.event and is_money(e))

        if cap and total.type in ("revenue", "mean") \
           and total.event not in SURVEYS:
            value = min(value, cap)

        counts["%stotal%d.sum" % (where(track), i)] += value
        counts["%stotal%d.squares" % (where(track), i)] += value ** 2

        if total.type == "ratio":
            values = min(VALUES_MAX,
                         len([e for e in events
                              if is_money(e) and e.name == total.event]))
            counts["%stotal%d.values" % (where(track), i)] += values
            counts["%stotal%d.values_squared"
                   % (where(track), i)] += values ** 2
            counts["%stotal%d.products" % (where(track), i)] += value * values


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
def cart_at_exposure(funnel, track, before):
    events = stretches(before)[-1]
    created = None

    for i, event in enumerate(events):
        if event.name == funnel.cart \
           and (created is None or event.ms > created + funnel.within):
            created, first = event.ms, i

    if created is None or track.ms > created + funnel.within:
        return None

    return furthest(funnel, created, place(funnel, funnel.cart),
                    events[first + 1:])


def find_carts(funnel, track, before, events):
    carts = []
    lacking = 0

    brought = cart_at_exposure(funnel, track, before)

    for n, stretch in enumerate(stretches(events)):
        bought = stretch and stretch[-1].name == "purchase"
        opener = next((i for i, e in enumerate(stretch)
                       if e.name == funnel.cart), None)

        if n == 0 and brought is not None:
            created, start, after = track.ms, brought, stretch

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
