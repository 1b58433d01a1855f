#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# History: at the end of each hour, and of each day, what /uxstats says then
# is kept for each metric of each variant, whether or not anybody asks; over
# reloads, kills, other sizes and another order of the configuration.  Where
# there is room for few points the newest stay.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use UxClock;
use UxShopper;
use UxTest;


use constant { HOUR => 3600, DAY => 86400, SMALL => 8 };

my @figures = qw(value low high lift lift_low lift_high);
my $clock = UxClock->new
    or plan skip_all => 'no compiler for a clock';

# Early in a day, whose end is for at_midnight(), and in an hour.

$clock->forward(DAY - time % DAY + HOUR + 600);

my $t = Ux::nginx(workers => 2, conf => conf())->start;
my %said;                          # what /uxstats said, by time

is_deeply([ map { $_->{at} } @{ history('layout')->{rings} } ], [ [], [] ],
    'nothing is told before the first hour has ended');

shoppers(1, 700, 9);
hour_ends('an hour');
compare('an hour');

shoppers(701, 1100, 3);
hour_ends('two hours');
compare('two hours');
answers();

kept_over_a_reload();
missed_hours();
kept_over_a_kill();
at_midnight();
kept_by_another_size();
restarted_result();
room_for_few();
another_version();
two_servers();

$t->no_alerts;
done_testing();


sub conf
{
    my (%option) = @_;

    my $size = $option{size} || '4m';
    my $other = $option{small} || '768k';
    my $alpha = $option{alpha} || 0.05;
    my $version = $option{version} ? "version $option{version};" : '';
    my @experiments = (
        "ux_experiment layout { $version variant control 1; variant one 1;
            goal purchase; metric revenue; metric view_item type=count;
            guardrail sorry better=lower; alpha $alpha; }\n",
        "ux_experiment price { variant low 1; variant high 1;
            goal purchase; }\n");

    @experiments = reverse @experiments if $option{turned};

    # a zone with more metrics than it has room for points of

    my $small = join '', map { "ux_experiment e$_ zone=small {
            variant control 1; variant one 1; goal purchase; metric revenue;
            metric add_to_cart; metric begin_checkout; metric view_item;
            metric refund; }\n" } 1 .. SMALL;

    return <<"EOF";
ux_zone shop $size snapshot=%%DIR%%/state interval=100ms journeys=200ms
    totals=4;
ux_zone small $other;
@experiments
$small
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    ux_visitor_key \$arg_user;
    ux_expose layout price;
    location / { ux_event view_item; return 204; }
    location /buy {
        ux_event purchase value=\$arg_v id=\$arg_user;
        return 204;
    }
    location /sorry { ux_event sorry; return 204; }
    location /small {
        ux_expose e1 e2 e3 e4 e5 e6 e7 e8;
        return 204;
    }
    location /uxstats { ux_stats; }
}
EOF
}


# Those from one number to another; each third buys, some are sorry.
sub shoppers
{
    my ($from, $to, $every) = @_;

    my @paths;

    for my $n ($from .. $to) {
        push @paths, "/?user=u$n";
        push @paths, "/buy?user=u$n&v=" . ($n % 50 + 1) . '.50'
            if $n % 3 == 0;
        push @paths, "/sorry?user=u$n" if $n % $every == 0;
    }

    UxShopper::visit($t->port, \@paths, clients => 2);

    return;
}


sub history
{
    my ($experiment, $zone) = @_;

    my $answer = $t->get('/uxstats/history/' . ($zone || 'shop')
        . "/$experiment");

    return $answer && $answer->status == 200 ? $answer->json : undef;
}


# When the last hour, or day, ended.
sub now { return int($clock->now / $_[0]) * $_[0] }


sub at { return history('layout')->{rings}[$_[0]]{at} }


# The clock goes on to the end of an hour, or of a day; the point is taken by
# somebody, without being asked.
sub hour_ends
{
    my ($name, $unit) = @_;

    $unit ||= HOUR;
    $clock->forward($unit - $clock->now % $unit);

    my $now = now($unit);
    my $ok = Ux::wait_until(sub {
        return !grep { (history($_)->{rings}[0]{at}[-1] || 0) != $now }
            qw(layout price);
    });

    ok($ok, "$name: a point of its end")
        or diag(explain(at(0)), "no $now");
    $said{$now} = $t->stats('/zones/shop/experiments');

    return;
}


# The points at each time that was looked at are what was said then.
sub compare
{
    my ($name, $ring) = @_;

    my (@wrong, $n);

    for my $experiment (qw(layout price)) {
        my $told = history($experiment)->{rings}[$ring || 0];

        for my $i (0 .. $#{ $told->{at} }) {
            my $said = $said{$told->{at}[$i]}
                or next;
            $n++;
            push @wrong, map { "$experiment $told->{at}[$i]: $_" }
                wrong_at($told, $i, $said->{$experiment});
        }
    }

    ok(!@wrong && $n, "$name: all points are what /uxstats said")
        or diag(join "\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]);

    return;
}


sub wrong_at
{
    my ($told, $i, $said) = @_;

    my @wrong;

    for my $name (sort keys %{ $said->{variants} }) {
        my $variant = $said->{variants}{$name};
        my $told_of = $told->{variants}{$name};

        push @wrong, "$name visitors"
            if $told_of->{visitors}[$i] != $variant->{visitors};

        for my $metric (sort keys %{ $variant->{metrics} }) {
            my $is = $told_of->{metrics}{$metric};
            my @expected = figures_of($variant->{metrics}{$metric});

            for my $k (0 .. $#figures) {
                my $figure = ref $is->{$figures[$k]}
                    ? $is->{$figures[$k]}[$i] : $is->{$figures[$k]};
                push @wrong, "$name $metric $figures[$k]"
                    if !close_to($figure, $expected[$k]);
            }
        }
    }

    return @wrong;
}


sub figures_of
{
    my ($metric) = @_;

    my ($which) = grep { exists $metric->{$_} } qw(rate mean ratio);
    my $versus = $metric->{vs_control} || {};
    my $none = [ undef, undef ];

    return ($metric->{$which}, @{ $metric->{"${which}_ci"} || $none },
        $versus->{lift}, @{ $versus->{lift_ci} || $none });
}


# To the digits of a float.
sub close_to
{
    my ($is, $expected) = @_;

    return !defined $is if !defined $expected;

    return defined $is && abs($is - $expected) <= 1e-6 * abs $expected;
}


sub answers
{
    my $told = history('layout');
    my $one = $told->{rings}[0]{variants}{one}{metrics};

    is($told->{goal}, 'purchase', 'the goal');
    is("$told->{version} $told->{zone} $told->{experiment}",
        '1 shop layout', 'what it is of');
    is_deeply([ map { $_->{interval_seconds} } @{ $told->{rings} } ],
        [ HOUR, DAY ], 'two rings');
    is($told->{rings}[0]{variants}{control}{metrics}{purchase}{lift}, undef,
        'the control has no lift');
    ok(defined $one->{purchase}{lift_low}[1]
        && $one->{purchase}{lift_high}[1] > $one->{purchase}{lift_low}[1],
        'the other one has an interval of it');
    is_deeply([ sort keys %$one ], [ qw(purchase revenue sorry view_item) ],
        'of each metric');
    is_deeply($told->{rings}[1]{at}, [], 'no day has ended');

    for my $path (qw(/history /history/ /history/shop /history/shop/
        /history/shop/none /history/none/layout /history/shop/layout/
        /history/shop/layout/rings /historyshop/layout))
    {
        my $answer = $t->get("/uxstats$path");
        is($answer->status . ' ' . $answer->body,
            qq(404 {"error":"not found"}\n), "$path is not there");
    }

    my $head = $t->head('/uxstats/history/shop/layout');
    is($head->status, 200, 'HEAD');
    is($head->header('Cache-Control'), 'no-store', 'not stored');
    is($head->header('Content-Type'), 'application/json', 'JSON');
    is($t->post('/uxstats/history/shop/layout', 'x')->status, 405, 'no POST');
    is($t->get('/uxstats/history/shop/layout', 'X-Forwarded-For' => '::1')
        ->status, 403, 'not for somebody else');

    return;
}


sub kept_over_a_reload
{
    my $before = history('layout')->{rings};

    ok($t->reload(conf => conf(turned => 1)), 'a reload, in another order');
    is_deeply(history('layout')->{rings}, $before, 'a reload: all is there');
    shoppers(1101, 1150, 3);
    hour_ends('after it');
    compare('after it');

    return;
}


# Of a time at which nobody looks within minutes nothing is told.
sub missed_hours
{
    my $before = at(0);

    $clock->forward(HOUR - $clock->now % HOUR + 2 * HOUR + 1800);
    $t->get('/uxstats') for 1 .. 10;
    hour_ends('after some that nobody saw end');

    my $at = at(0);
    is(@$at, @$before + 1, 'these have no points');
    is($at->[-1] - $at->[-2], 4 * HOUR, 'and make a gap');
    compare('beside a gap');

    return;
}


sub kept_over_a_kill
{
    my $before = history('layout')->{rings};
    my @words = ('report', '--history', $t->dir . '/state');
    my %told;

    # until it is saved

    ok(Ux::wait_until(sub {
        my (undef, $output) = Ux::uxctl(\@words);
        %told = map { $_->{experiment} => $_->{rings} }
            map { JSON::PP::decode_json($_) } grep { /^\{/ }
            split /\n/, $output;
        return $told{layout}
            && ($told{layout}[0]{at}[-1] || 0) == $before->[0]{at}[-1];
    }), 'uxctl report --history tells the newest point');
    is(join(' ', sort keys %told), 'layout price', 'of each experiment');
    is_deeply($told{layout}, $before, 'and all that the server told');

    $t->kill_tree;
    $t->start;

    is_deeply(history('layout')->{rings}, $before, 'killed: all is there');
    UxShopper::visit($t->port, [ map { "/small?user=s$_" } 1 .. 60 ]);
    hour_ends('after a kill');
    compare('after a kill');
    is(@{ at(0) }, @{ $before->[0]{at} } + 1, 'it goes on');

    return;
}


sub at_midnight
{
    hour_ends('at midnight', DAY);
    is_deeply(at(1), [ now(DAY) ], 'a day has ended');
    compare('at midnight', 1);
    compare('at midnight');

    return;
}


sub kept_by_another_size
{
    my $before = history('layout')->{rings};

    for my $size (qw(8m 3m)) {
        ok($t->reload(conf => conf(size => $size)), "a zone of $size");
        is_deeply(history('layout')->{rings}, $before,
            "$size: all is there");
    }

    compare('resized');

    return;
}


# Another analysis: the history goes on, and says where.
sub restarted_result
{
    ok($t->reload(conf => conf(size => '3m', alpha => 0.01)),
        'another analysis');
    shoppers(2001, 2300, 3);
    hour_ends('restarted');
    compare('restarted');

    my $ring = history('layout')->{rings}[0];
    my $since = $t->stats('/zones/shop/experiments/layout')
        ->{analysis_since_epoch};
    is($ring->{epoch}[-1], $since, 'the last point is of the new result');
    cmp_ok($ring->{epoch}[-2], '<', $since, 'the one before is not');
    cmp_ok($ring->{variants}{one}{visitors}[-1], '>',
        $ring->{variants}{one}{visitors}[-2], 'visitors go on');

    return;
}


# All series have as many points as there is room for, the newest.
sub room_for_few
{
    my (undef, $output) = $t->test_config($t->{conf});
    my ($bytes, $room, $series, $hours) = $output =~ /ux_zone\ "small":
        \ (\d+)\ bytes\ for\ history,\ room\ for\ (\d+)\ points:\ of\ (\d+)
        \ metrics\ of\ variants\ the\ last\ (\d+)\ hours/x;

    is($series, SMALL * 2 * 6, 'nginx -t: metrics of variants');
    cmp_ok($hours, '<', 72, 'nginx -t: room for few points');
    cmp_ok($room * 40, '<=', $bytes, 'nginx -t: which take their bytes');

    # three hours and a midnight ended since it has visitors

    for my $n (1 .. 2) {
        hour_ends("small, $n");
        Ux::wait_until(sub { newest(SMALL) == now(HOUR) });
    }

    my $most = int($room / $series);
    my @counts = map {
        scalar map { @{ $_->{at} } } @{ history("e$_", 'small')->{rings} }
    } 1 .. SMALL;
    cmp_ok($most, '<', 6, 'fewer than there were');
    ok(!grep({ $_ < $most || $_ > $most + 1 } @counts),
        "each has $most points, some one more: @counts");
    is(scalar(grep { newest($_) == now(HOUR) } 1 .. SMALL), SMALL,
        'the newest');

    return;
}


sub newest { return history("e$_[0]", 'small')->{rings}[0]{at}[-1] || 0 }


# The other zone, which has no directory, gets a larger one.
sub another_version
{
    my $before = history('e1', 'small')->{rings};

    ok($t->reload(conf => conf(size => '3m', version => 2, small => '1m')),
        'another version');
    is_deeply([ map { @{ $_->{at} } } @{ history('layout')->{rings} } ], [],
        'starts anew');
    cmp_ok(scalar @{ history('price')->{rings}[0]{at} }, '>', 3,
        'the other one goes on');
    is_deeply(history('e1', 'small')->{rings}, $before,
        'without a directory: history goes over to a larger zone');

    return;
}


# Each has a history, their sum has none.
sub two_servers
{
    my $other = Ux::nginx(workers => 1, conf => conf(size => '2m'))->start;
    my @folders = map { $_->dir . '/state' } $t, $other;

    UxShopper::visit($_->port, [ map { "/?user=o$_" } 1 .. 20 ])
        for $t, $other;
    hour_ends('with another server');

    for my $folder (@folders) {
        ok(Ux::wait_until(sub {
            grep { $_ == now(HOUR) } told_by_uxctl('price', $folder) }),
            'each of two servers has saved a history');
    }

    is_deeply([ told_by_uxctl('price', @folders) ], [],
        'uxctl: their sum has none');

    my $sum = $t->dir . '/sum';
    my ($status) = Ux::uxctl([ 'merge', '-o', $sum, '--zone', 'shop',
        @folders ]);
    is($status, 0, 'uxctl merge');
    is_deeply([ told_by_uxctl('price', $sum) ], [],
        'uxctl merge: nor has the snapshot of it');
    $other->no_alerts;

    return;
}


# The hours that ended, as snapshots tell them.
sub told_by_uxctl
{
    my ($experiment, @folders) = @_;

    my (undef, $output) = Ux::uxctl([ 'report', '--history', @folders ]);
    my ($told) = grep { $_->{experiment} eq $experiment }
        map { JSON::PP::decode_json($_) } grep { /^\{/ }
        split /\n/, $output;

    return $told ? @{ $told->{rings}[0]{at} } : ();
}
