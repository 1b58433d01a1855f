#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Clocks: one that leaps while a server runs, back and forth, by an hour and
# by ten years; an hour that was skipped, with carts open; servers in 1970,
# 2038 and 2106, and at a leap second.  Nobody is forgotten by a leap, what was
# counted stays, what is counted afterwards is exact.
#
# And a module that is loaded, and asked for nothing: it has no clock at all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes ();
use Time::Local ();
use UxClock;
use UxTest;


use constant { HOUR => 3600, DAY => 86400, YEAR => 365 * 86400,
    BEFORE => 60 };

my $clock = UxClock->new
    or plan skip_all => 'no compiler for a clock';

a_module_nobody_uses();
a_clock_that_leaps();
an_hour_is_skipped();
dates();

done_testing();


sub shop
{
    return Ux::nginx(workers => 2, conf => <<'CONF');
ux_zone shop 2m snapshot=%%DIR%%/state interval=100ms journeys=200ms;
ux_experiment layout { variant control 50; variant one 50; window off; }
ux_funnel buy { step begin_checkout; step purchase; cart add_to_cart; }
ux_visitor_key $http_x_user;
server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose all;
    add_header X-Why $ux_reason_layout;
    location / { ux_event view_item; return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /buy { ux_event purchase value=$arg_v id=$arg_id; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


# Each of them asks for the path; why they have their variants, by how often.
sub visit
{
    my ($t, $path, @users) = @_;

    my %why;

    for my $user (@users) {
        my $answer = $t->get($path, Accept => 'text/html', 'X-User' => $user);
        my $why = $answer && $answer->status == 204
            ? $answer->header('X-Why') : 'no answer';
        $why{$why}++;
    }

    return \%why;
}


sub users
{
    my ($from, $to) = @_;

    return map { "user$_" } $from .. $to;
}


# What has been counted: all that a leap must leave alone.
sub counts
{
    my ($t) = @_;

    my $zone = $t->stats('/zones/shop');
    my $variants = $zone->{experiments}{layout}{variants};
    my %sum;

    for my $variant (values %$variants) {
        my $carts = $variant->{funnels}{buy}{carts};
        $sum{visitors} += $variant->{visitors};
        $sum{assigned} += $variant->{assigned};
        $sum{sum} += $variant->{metrics}{revenue}{sum};
        $sum{$_} += $carts->{$_} for qw(created open purchased abandoned
            recovered settled);
    }

    return { %sum, views => $zone->{events}{view_item} || 0,
        tracked => $zone->{visitors}{tracked},
        expired => $zone->{visitors}{expired},
        evicted => $zone->{visitors}{evicted} };
}


sub of
{
    my ($counts, @names) = @_;

    return { map { $_ => $counts->{$_} } @names };
}


# Every worker has read its clock when it has answered somebody.
sub leap
{
    my ($t, $seconds) = @_;

    $clock->forward($seconds);
    $t->get('/uxstats') for 1 .. 10;

    return;
}


# What is counted now comes to the files.  A cart that is there already is the
# one thing that changes none of the numbers above.
sub saved
{
    my ($t) = @_;

    my $errors = $t->stats('/zones/shop/snapshot')->{errors};
    my ($lock) = glob $t->dir . '/state/*.lock';
    my $file = $lock =~ s/lock$/visitors.1/r;
    my $time = (Time::HiRes::stat($file))[9] || 0;

    return Ux::wait_until(sub {
        visit($t, '/cart', 'user6');
        return ((Time::HiRes::stat($file))[9] || 0) != $time;
    }) && $t->stats('/zones/shop/snapshot')->{errors} == $errors;
}


# Its worker sleeps while one with a zone wakes up again and again.
sub a_module_nobody_uses
{
    my $plain = "server { listen 127.0.0.1:%%PORT%%; return 204; }\n";
    my $stock = Ux::nginx(module => 'none', conf => $plain)->start;
    my $idle = Ux::nginx(conf => $plain)->start;
    my $busy = shop()->start;

    is($idle->get('/')->status, 204, 'unused: served');
    is(zones($idle), zones($stock), 'unused: no zone');
    is(scalar($idle->_children), scalar($stock->_children),
        'unused: no process');

    # it may still be about to go to sleep

    my ($worker, $other) = (($idle->workers)[0], ($busy->workers)[0]);
    my ($slept, $woken);
    for (1 .. 5) {
        $slept = sleeps($worker);
        $woken = sleeps($other);
        Ux::wait_until(sub { sleeps($other) >= $woken + 2 });
        last if sleeps($worker) == $slept;
    }
    cmp_ok(sleeps($other), '>=', $woken + 2, 'unused: another has a timer');
    is(sleeps($worker), $slept, 'unused: no timer');
    $_->no_alerts('unused: no alerts') for $stock, $idle, $busy;

    return;
}


sub sleeps
{
    return Ux::_read("/proc/$_[0]/status")
        =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : -1;
}


sub zones
{
    return scalar(() = Ux::_read('/proc/' . $_[0]->pid . '/maps')
        =~ m{ rw-s .*/dev/zero}g);
}


sub a_clock_that_leaps
{
    my $t = shop()->start;
    my @kept = qw(visitors assigned sum created views tracked expired evicted);
    my $known = 40;

    visit($t, '/', users(1, 40));
    visit($t, '/cart', users(1, 20));
    visit($t, '/buy?v=2.50', users(1, 5));

    for my $case ([ 'an hour back' => -HOUR() ], [ 'a day' => DAY ],
        [ 'ten years' => 10 * YEAR ], [ 'nine years back' => -9 * YEAR() ],
        [ 'sixty years' => 60 * YEAR ], [ 'and back' => -60 * YEAR() ])
    {
        my ($what, $seconds) = @$case;
        my $before = counts($t);

        leap($t, $seconds);
        my $after = counts($t);
        is_deeply(of($after, @kept), of($before, @kept),
            "$what: no number changes");
        is($after->{created}, $after->{open} + $after->{purchased}
            + $after->{abandoned}, "$what: every cart is something");

        my ($zone, $api) = ($t->stats('/zones/shop'), $t->stats('/'));
        my $layout = $zone->{experiments}{layout};
        cmp_ok($zone->{snapshot}{age_seconds}, '>=', 0,
            "$what: no age below 0");
        cmp_ok($layout->{runtime_seconds}, '>=', 0,
            "$what: no runtime below 0");
        ok(abs(moment($api->{generated_at}) - $clock->now) < 60,
            "$what: and the date is told") or diag($api->{generated_at});

        is_deeply(visit($t, '/', users(1, $known)), { cached => $known },
            "$what: everybody is known");
        is_deeply(visit($t, '/', users($known + 1, $known + 10)),
            { split => 10 }, "$what: those who are new are new");
        is_deeply(visit($t, '/cart', users($known + 1, $known + 10)),
            { cached => 10 }, "$what: and known from then on");
        visit($t, '/buy?v=1.00', users($known + 1, $known + 3));

        my $now = counts($t);
        is_deeply(of($now, @kept), {
            visitors => $before->{visitors} + 10,
            assigned => $before->{assigned} + 10,
            tracked => $before->{tracked} + 10,
            views => $before->{views} + $known + 10,
            created => $before->{created} + 10,
            sum => $before->{sum} + 3, expired => 0, evicted => 0 },
            "$what: all is counted, nobody is forgotten");
        is($now->{created}, $now->{open} + $now->{purchased}
            + $now->{abandoned}, "$what: every cart still is something");
        ok(saved($t), "$what: saves go on");
        $known += 10;
    }

    # and over a start: ten years ahead, in 1970, and right again

    for my $case ([ 'ten years ahead' => 10 * YEAR ],
        [ 'in 1970' => -time ], [ 'today' => 0 ])
    {
        my ($what, $seconds) = @$case;
        my $last = counts($t);

        $t->stop;
        $clock->forward(time + $seconds + DAY - $clock->now);
        $t->start;
        is_deeply(of(counts($t), @kept), of($last, @kept),
            "a start $what: nothing is lost");
        is_deeply(visit($t, '/cart', users(1, 5)), { cached => 5 },
            "a start $what: who comes is known");
    }
    is_deeply(visit($t, '/cart', users(1, $known)), { cached => $known },
        'and so is everybody after all that');
    $t->no_alerts('leaps: no alerts');

    return;
}


# A machine that slept: carts are abandoned, once, and bought later, once.
sub an_hour_is_skipped
{
    my $t = shop()->start;

    visit($t, '/cart', users(1, 20));
    is_deeply(of(counts($t), qw(created open abandoned)),
        { created => 20, open => 20, abandoned => 0 }, 'an hour: carts');
    leap($t, HOUR + 130);

    my %now = (created => 20, open => 0, abandoned => 20, recovered => 0,
        purchased => 0);
    for my $time (1 .. 3) {
        is_deeply(of(counts($t), keys %now), \%now,
            "an hour skipped: each is abandoned, once: look $time");
    }

    visit($t, '/cart', users(1, 20));
    is_deeply(of(counts($t), keys %now), \%now,
        'an hour skipped: a cart event opens no second one');
    visit($t, '/buy?v=1.00', users(1, 8));
    $now{recovered} = 8;
    is_deeply(of(counts($t), keys %now), \%now,
        'an hour skipped: who buys recovers it');
    visit($t, '/buy?v=1.00', users(1, 8));
    is_deeply(of(counts($t), keys %now), \%now,
        'an hour skipped: and not twice');

    $t->stop;
    $t->start;
    is_deeply(of(counts($t), keys %now), \%now,
        'an hour skipped: so says the next server');
    $t->no_alerts('an hour skipped: no alerts');

    return;
}


sub moment
{
    my ($text) = @_;

    my @parts = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/
        or return -1;

    return Time::Local::timegm(@parts[5, 4, 3, 2], $parts[1] - 1, $parts[0]);
}


# Some seconds before each, and behind it: a busy machine may take a few of
# them to start.
sub dates
{
    my %at = (
        '1970, no clock' => 2 * BEFORE,
        '2038-01-19' => 2 ** 31,
        '2106-02-07' => 2 ** 32,
        'a leap second' => moment('2017-01-01T00:00:00Z'),
    );

    for my $what (sort keys %at) {
        my $leap = $what =~ /leap/;

        $clock->forward($at{$what} - BEFORE - $clock->now);

        my $t = shop()->start;
        my $browser = $t->browser;
        $browser->go('/');
        ok(day($browser->cookie('ux')) == int(($at{$what} - BEFORE) / DAY),
            "$what: the cookie's day") or diag($browser->cookie('ux'));
        visit($t, '/cart', users(1, 10));

        # a leap second is one that is there twice

        leap($t, BEFORE + 5);
        leap($t, -1) if $leap;
        my $told = $t->stats('/');
        ok(abs(moment($told->{generated_at}) - $clock->now) < 30,
            "$what: JSON tells the date") or diag($told->{generated_at});
        like($told->{zones}{shop}{experiments}{layout}{started_at},
            qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "$what: and when it began");

        is($browser->go('/')->header('X-Why'), 'cached',
            "$what: the cookie is valid behind it");
        is_deeply(visit($t, '/buy?v=1.50', users(1, 10)), { cached => 10 },
            "$what: visitors are known");
        is_deeply(visit($t, '/', users(11, 20)), { split => 10 },
            "$what: new ones are new");
        my $new = $t->browser;
        $new->go('/');
        is($new->go('/')->header('X-Why'), 'cached',
            "$what: a new cookie is valid");

        my $now = counts($t);
        is_deeply(of($now, qw(visitors created purchased sum views)),
            { visitors => 22, created => 10, purchased => 10, sum => 15,
            views => 14 }, "$what: all is counted");
        $t->stop;
        $t->start;
        is_deeply(of(counts($t), sort keys %$now), $now,
            "$what: a restart: every number");
        is_deeply(visit($t, '/cart', users(1, 20)), { cached => 20 },
            "$what: a restart: everybody");
        $now = counts($t);
        $t->stop;

        # today: of the future, or of long ago

        $clock->forward(time - $clock->now);
        $t->start;
        is_deeply(of(counts($t), qw(visitors created purchased sum views)),
            of($now, qw(visitors created purchased sum views)),
            "$what: every number, today");
        $t->no_alerts("$what: no alerts");
    }

    return;
}


sub day { return (split /\./, $_[0] || '')[2] || 0 }
