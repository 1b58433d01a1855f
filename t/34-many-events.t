#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# As many events in one answer as X-UX-Event may have, of a visitor in as many
# experiments as a record holds, with as many funnels as a zone has: more
# changes than one turn of the record has room for, and all of them count.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum0);
use Test::More;
use UxTest;


use constant { EXPERIMENTS => 16, FUNNELS => 16, EVENTS => 64 };

my @STEPS = qw(purchase add_to_cart begin_checkout add_payment_info);

# through the funnels, with as many returns to their first step before the last
# (later ones would be none); each of so much that all limbs of sums of squares
# move
my @EVENTS = (@STEPS[0 .. 2], ('purchase') x (EVENTS - @STEPS), $STEPS[3]);
my $said = join ', ', map { "$EVENTS[$_ - 1];value=${_}00000" } 1 .. EVENTS;

my $t = Ux::nginx(conf => conf())->start;

many('confirmed');
waiting();
told_by_beacon();
$t->no_alerts;

done_testing();


sub conf
{
    my $experiments = join '', map { "ux_experiment e$_ { variant a 1;
        variant b 1; goal purchase; metric revenue;
        metric purchase type=count; metric purchase type=mean;
        metric purchase type=ratio; }\n" } 1 .. EXPERIMENTS;
    my $funnels = join '', map { "ux_funnel f$_ { "
        . join('', map { "step $_; " } @STEPS) . "}\n" } 1 .. FUNNELS;

    return <<"CONF";
ux_zone shop 128m experiments=16 totals=8;
$experiments
$funnels
ux_visitor_key \$http_x_key;
server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose all;
    location / { return 200 page; }
    location /told { proxy_pass http://127.0.0.1:%%PORT_APP%%; }
    location = /beacon { ux_collect; }
    location /uxstats { ux_stats; }
}
server {
    listen 127.0.0.1:%%PORT_APP%%;
    location / { add_header X-UX-Event "$said" always; return 204; }
}
CONF
}


# What one visitor who did all that once has added, by experiment.
sub added
{
    my ($work) = @_;

    my $sums = sub {
        my $experiments = $t->stats('/zones/shop/experiments');
        my %n;

        for my $e (1 .. EXPERIMENTS) {
            for my $v (values %{ $experiments->{"e$e"}{variants} }) {
                my $m = $v->{metrics};
                my $n = $n{$e} ||= {};

                $n->{visitors} += $v->{visitors};
                $n->{converted} += $m->{purchase}{visitors};
                $n->{purchases} += $m->{purchase}{events};
                $n->{revenue} += $m->{revenue}{sum};
                $n->{count} += $m->{'purchase:count'}{sum};
                $n->{mean} += $m->{'purchase:mean'}{sum};
                $n->{ratio} += $m->{'purchase:ratio'}{sum};

                for my $funnel (values %{ $v->{funnels} }) {
                    my @steps = @{ $funnel->{steps} };
                    $n->{events} += sum0(map { $_->{events} } @steps);
                    $n->{in_order} += sum0(map { $_->{visitors_in_order} }
                        @steps);
                    $n->{backtracks} += sum0(map { $_->{backtracks} } @steps);
                    $n->{completed} += $funnel->{task}{completed};
                }
            }
        }

        return \%n;
    };

    my $before = $sums->();
    $work->();
    my $after = $sums->();

    return { map { my $e = $_; $e => { map {
        $_ => $after->{$e}{$_} - $before->{$e}{$_} } keys %{ $after->{$e} } } }
        keys %$after };
}


# Of the first of these events.
sub expected
{
    my ($events) = @_;

    my @bought = grep { $EVENTS[$_ - 1] eq 'purchase' } 1 .. $events;
    my $sum = 1e5 * sum0(@bought);
    my $completed = $events == EVENTS;

    return { map { $_ => { visitors => 1, converted => 1,
        purchases => scalar @bought, count => scalar @bought,
        revenue => $sum, mean => $sum, ratio => $sum,
        events => FUNNELS * $events,
        in_order => FUNNELS * ($completed ? @STEPS : @STEPS - 1),
        completed => $completed ? FUNNELS : 0,
        backtracks => FUNNELS * (@bought - 1) } } 1 .. EXPERIMENTS };
}


sub many
{
    my ($name) = @_;

    my $events = $t->stats('/zones/shop/events');
    my @headers = (Accept => 'text/html', 'X-Key' => $name);

    is_deeply(added(sub { $t->get('/told', @headers) }), expected(EVENTS),
        "$name: every event in every experiment and funnel");

    my $after = $t->stats('/zones/shop/events');
    is($after->{$_} - $events->{$_}, $_ eq 'purchase' ? EVENTS - 3 : 1,
        "$name: $_ of the zone") for @STEPS;

    return;
}


# Of one who is not confirmed a record keeps 16: they count at once when the
# cookie comes back, and the others are told of.
sub waiting
{
    my $browser = $t->browser;

    $browser->go('/told');
    is($t->stats('/zones/shop/discarded/zone_full'), EVENTS - 16,
        'waiting: more than the record holds');
    is_deeply(added(sub { $browser->asset('/x.css') }), expected(16),
        'waiting: what it holds counts');

    return;
}


# The longest beacon with values.
sub told_by_beacon
{
    my @headers = ('X-Key' => 'beacon');
    my @events = map { qq({"event":"$EVENTS[$_ - 1]","value":$_.0e5}) }
        1 .. 21;

    is_deeply(added(sub {
        $t->get('/', Accept => 'text/html', @headers);
        my $r = $t->post('/beacon', '[' . join(',', @events) . ']',
            'Content-Type' => 'application/json', @headers);
        is($r->status, 204, 'beacon: taken');
    }), expected(21), 'beacon: every event');

    return;
}
