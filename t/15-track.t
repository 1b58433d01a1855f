#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# The event path against a second opinion: random visitors' histories, counted
# event by event by the core (t/unit/track_driver.c) and from scratch, whole
# histories at a time, by t/unit/track_reference.py.  Every number must agree,
# at every report.
#
# TEST_UX_TRACK_SEED repeats a run, TEST_UX_TRACK_ZONES sets its length,
# TEST_UX_TRACK_KEEP is a folder for the lines of zones that differ.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;


my $root = "$FindBin::Bin/..";
my $driver = $ENV{TEST_UX_TRACK_DRIVER} || "$root/build/t/track_driver";
my $reference = "$FindBin::Bin/unit/track_reference.py";
my $keep = $ENV{TEST_UX_TRACK_KEEP} || tempdir(CLEANUP => 1);

my $seed = $ENV{TEST_UX_TRACK_SEED} || 20260131;
my $zones = $ENV{TEST_UX_TRACK_ZONES} || 40;
my $visitors = 80;

my $T0 = 1_700_000_000_000;
my $MINUTE = 60_000;
my $HOUR = 60 * $MINUTE;

# Carts of the zone being made, [event, window], and moments worth a report.
my (@carts, @moments, @crossings);

my @events = qw/ view_item add_to_cart begin_checkout add_shipping_info
                 add_payment_info purchase refund nps csat wish /;

-x $driver or BAIL_OUT("$driver: not built, try \"make units\"");
srand($seed);

my %total;

for my $n (1 .. $zones) {
    check_zone($n);
}

# What must have occurred, or the run showed nothing.

for my $name (qw/ zone.discarded.duplicate zone.discarded.bad_event
                  zone.discarded.refund_excess zone.discarded.after_window
                  zone.discarded.zone_full status.expose.2 status.expose.4
                  status.prefetch.0 status.prefetch.2 status.prefetch.4
                  status.settle.0 status.settle.1 status.cross.0
                  status.cross.1 moved crossover before in_order carried_in
                  purchased recovered recovered_settled abandoned_after open
                  settled created without_cart squares values values_squared
                  products unconfirmed_old unconfirmed_young
                  bought not zone.currency /)
{
    cmp_ok($total{$name} // 0, '>', 20, "$name was put to the test");
}

done_testing();


sub check_zone {
    my ($n) = @_;

    my $file = "$keep/zone-$n.txt";

    open my $out, '>', $file or die "$file: $!\n";
    print $out map { "$_\n" } zone_lines();
    close $out;

    my $got = counts("'$driver' <'$file'");
    my $expected = counts("python3 '$reference' <'$file'");

    for my $line (keys %$expected) {
        add_total($line, $expected->{$line});
    }

    my @differ = grep { ($got->{$_} // 0) ne ($expected->{$_} // 0) }
                 sort keys %{{ %$got, %$expected }};

    ok(!@differ && %$expected, "zone $n: " . keys(%$expected) . " numbers");

    for my $line (splice @differ, 0, 8) {
        diag("zone $n, seed $seed: $line: got " . ($got->{$line} // 0)
             . ', expected ' . ($expected->{$line} // 0));
    }
}


# "report number, name" => value
sub counts {
    my ($command) = @_;

    my $report = 0;
    my %counts;

    open my $in, '-|', $command or die "$command: $!\n";

    while (my $line = <$in>) {
        if ($line =~ /^report /) {
            $report++;

        } elsif ($line =~ /^(\S+) (-?\d+)$/) {
            $counts{"$report $1"} = $2;

        } else {
            die "$command: $line";
        }
    }

    close $in or die "$command: status $?\n";

    return \%counts;
}


sub add_total {
    my ($line, $value) = @_;

    my ($name) = $line =~ /^\d+ (.*)/;

    $total{$name} += $value;
    $total{$1} += $value if $name =~ /^(zone\.currency)/;
    $total{$1} += $value if $name =~ /\.(abandoned_after)\./;
    $total{$1} += $value if $name =~ /\.(\w+)$/;
}


sub one_of {
    return $_[int rand @_];
}


sub chance {
    return rand() < $_[0];
}


# A configuration, then histories merged by time, with reports between.
sub zone_lines {
    my %variants = map { ("e$_" => one_of(2, 2, 3)) } 1 .. one_of(1 .. 4);
    my @experiments = sort keys %variants;
    my @timed;

    @carts = ();
    @moments = ();
    @crossings = ();

    my @lines = (config_lines(\%variants));

    for my $visitor (0 .. $visitors - 1) {
        push @timed, history($visitor, \%variants);
    }

    for (1 .. 6) {
        push @timed, operator(\@experiments);
    }

    for (1 .. 5) {
        my $at = @crossings ? one_of(@crossings) : $T0;

        push @timed, [$at, "report $at"];
    }

    for (1 .. 5) {
        my $at = @moments && chance(0.6) ? one_of(@moments)
                                         : $T0 + int(rand 4 * 24 * $HOUR);

        push @timed, [$at, "report $at"];
    }

    # A stable sort: one visitor's facts of one moment keep their order.

    my @order = sort {
        $timed[$a][0] <=> $timed[$b][0] || $a <=> $b
    } 0 .. $#timed;

    push @lines, map { $timed[$_][1] } @order;

    my $last = $timed[$order[-1]][0];

    return @lines, "report " . ($last + 1), "report " . ($last + 9 * $HOUR);
}


sub config_lines {
    my ($variants) = @_;

    my @lines = ('event nps', 'event csat', 'event wish',
        'room ' . one_of(2, 3, 8));

    push @lines, 'total nps mean' if chance(0.5);
    push @lines, 'total nps ratio' if chance(0.5);
    push @lines, 'total purchase count' if chance(0.5);
    push @lines, 'total purchase ratio' if chance(0.5);

    for my $experiment (sort keys %$variants) {
        push @lines, join ' ', 'experiment', $experiment,
                     $variants->{$experiment},
                     one_of(0, $HOUR, 10 * $HOUR, 72 * $HOUR),
                     one_of(0, 0, 3000);
    }

    push @lines, funnel('checkout',
                        one_of('add_to_cart', 'add_to_cart', 'view_item'));
    push @lines, funnel('wishes', one_of('wish', 'add_to_cart', '-'));

    return @lines;
}


# Some steps of those there are, mostly in a sensible order.
sub funnel {
    my ($name, $cart) = @_;

    my @steps = grep { chance(0.7) }
                qw/ view_item wish add_to_cart begin_checkout
                    add_shipping_info add_payment_info purchase /;

    @steps = ('begin_checkout') unless @steps;
    @steps = reverse @steps if chance(0.1);

    my $within = one_of(30_000, 5 * $MINUTE, $HOUR, 3 * $HOUR);

    push @carts, [$cart, $within] if $cart ne '-';

    return join ' ', 'funnel', $name, $cart, $within,
                map { chance(0.25) ? "$_?" : $_ } @steps;
}


# What an operator does to an experiment, and undoes hours later.
sub operator {
    my ($experiments) = @_;

    my $at = $T0 + int(rand 4 * 24 * $HOUR);
    my $until = $at + int(rand 6 * $HOUR);
    my $e = one_of(@$experiments);

    if (chance(0.4)) {
        return [$at, "epoch $e " . one_of(0 .. 3)];
    }

    my ($do, $undo) = @{one_of(["remove $e", "restore $e"],
                               ["remove $e", "restore $e"],
                               ["state $e paused", "state $e running"],
                               ["state $e closed", "state $e running"],
                               ["serve $e " . one_of(0, 1), "serve $e -"],
                               ["schedule $e 0 $until", "schedule $e 0 0"],
                               ["schedule $e $until 0", "schedule $e 0 0"])};

    return ([$at, $do], [$until + one_of(-5, 0, 5, $HOUR), $undo]);
}


# All of one visitor, as [time, line] in order of time.
sub history {
    my ($visitor, $variants) = @_;

    my $now = $T0 + $MINUTE * int rand 2 * 24 * 60;
    my @facts;

    if (chance(0.3)) {
        push @facts, first_request($visitor, $variants, \$now);
        return @facts if chance(0.25);
        $now += gap();
    }

    push @facts, [$now, "confirm $visitor $now"];
    push @facts, [$now, "settle $visitor $now"] if chance(0.5);

    for (1 .. one_of(3, 10, 30, 60)) {
        $now += gap();

        push @facts, [$now, "settle $visitor $now"] if chance(0.3);

        if (chance(0.12)) {
            push @facts, exposure($visitor, $variants, $now);

        } elsif (chance(0.04)) {
            push @facts, prefetch($visitor, $variants, \$now);

        } elsif (chance(0.02)) {
            push @facts, crossing($visitor, $variants, $now);

        } elsif (@carts && chance(0.05)) {
            push @facts, late_purchase($visitor, \$now);

        } elsif (@carts && chance(0.02)) {
            push @facts, crossing_buyer($visitor, $variants, \$now);

        } else {
            push @facts, event($visitor, $now);
        }

        push @facts, [$now, "confirm $visitor $now"] if chance(0.02);
    }

    return @facts;
}


# Of a visitor still to be confirmed: exposures first, then events.
sub first_request {
    my ($visitor, $variants, $now) = @_;

    my @facts;

    push @facts, prefetch($visitor, $variants, $now) if chance(0.2);

    for (1 .. one_of(0 .. 3)) {
        push @facts, exposure($visitor, $variants, $$now);
    }

    # When its minute gets an hour old.

    push @moments, $$now - $$now % $MINUTE + $MINUTE + $HOUR
                   + one_of(-1, 0, 1);

    push @facts, [$$now, "settle $visitor $$now"] if chance(0.2);
    push @facts, crossing($visitor, $variants, $$now) if chance(0.05);

    for (1 .. one_of(1, 3, 8, 20)) {
        $$now += one_of(0, 0, 1, $MINUTE, 10 * $MINUTE);
        push @facts, event($visitor, $$now);
    }

    return @facts;
}


# Of a cart about as old as its window, and a report before its bucket is.
sub late_purchase {
    my ($visitor, $now) = @_;

    my ($cart, $within) = @{one_of(@carts)};
    my @facts = ([$$now, "send $visitor $cart $$now - - -"]);

    $$now += $within + one_of(-1, 0, 1, 1, 400);
    push @facts, [$$now, "send $visitor purchase $$now 990 - -"];
    push @moments, $$now + 1;

    return @facts;
}


# With carts whose rows are young, or the first ones of which just were, and a
# report at once.
sub crossing_buyer {
    my ($visitor, $variants, $now) = @_;

    my ($cart, $within) = @{one_of(@carts)};
    my @facts = exposure($visitor, $variants, $$now);

    for (1 .. one_of(1 .. 6)) {
        push @facts, [$$now, "send $visitor $cart $$now - - -"];
        $$now += one_of(0, 1, 1000, $within, $within + 1);
        push @facts, [$$now, "send $visitor purchase $$now 990 - -"];
        $$now += one_of(0, 1, 1000, int $within / 2);
    }

    push @facts, crossing($visitor, $variants, $$now);
    push @crossings, $$now + 1;

    return @facts;
}


# Multiples of what windows are made of, so that edges are met exactly.
sub gap {
    return one_of(0, 1, 30_000, 30_000, $MINUTE, $MINUTE, 5 * $MINUTE,
                  5 * $MINUTE, 5 * $MINUTE + 1, $HOUR, $HOUR - $MINUTE,
                  $HOUR + 1, 3 * $HOUR, 10 * $HOUR);
}


sub exposure {
    my ($visitor, $variants, $now) = @_;

    return [$now, 'expose ' . assignment($visitor, $variants, $now)];
}


# A page or more that may be shown within 5 minutes.
sub prefetch {
    my ($visitor, $variants, $now) = @_;

    my @facts;

    for (1 .. one_of(1, 1, 2, 3)) {
        push @facts, [$$now,
                      'prefetch ' . assignment($visitor, $variants, $$now)];
        $$now += one_of(0, 1, $MINUTE, 5 * $MINUTE, 5 * $MINUTE + 1);
    }

    return @facts;
}


# Mostly the same variant each time.
sub assignment {
    my ($visitor, $variants, $now) = @_;

    my $experiment = one_of(sort keys %$variants);
    my $variant = chance(0.9) ? $visitor % $variants->{$experiment}
                              : int rand $variants->{$experiment};

    return "$visitor $experiment $variant $now";
}


# A report follows, as long as rows of carts are young.
sub crossing {
    my ($visitor, $variants, $now) = @_;

    my $experiment = one_of(sort keys %$variants);

    push @moments, $now + one_of(1, 1000);

    return [$now, "cross $visitor $experiment " . one_of(0, 1) . " $now"];
}


sub event {
    my ($visitor, $now) = @_;

    my $event = one_of(@events, 'add_to_cart', 'add_to_cart', 'purchase');
    my $value = chance(0.7) ? one_of(0, 1, 500, 1999, 4990, 1e6) : '-';

    # of surveys mostly answers

    $value = 100 * int(rand 12) if $event =~ /nps|csat/ && chance(0.8);
    $value = '1000000000001' if chance(0.01);

    # A clock may step back a little.

    my $ms = $now - (chance(0.05) ? one_of(1, 5) : 0);

    return [$now, join ' ', 'send', $visitor, $event, $ms, $value,
                  chance(0.1) ? one_of(5, 190) : '-',
                  chance(0.4) ? int(rand 12) : '-'];
}
