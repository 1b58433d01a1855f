#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Surveys: synthetic shoppers with known answers against figures that this file
# works out from what it had them do; whose answer counts, which one, and what
# is none.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min sum0);
use Test::More;
use UxCount;
use UxFigures;
use UxShopper;
use UxTest;


use constant { SHOPPERS => 120, REPLAYS => 1000 };

my %SCALE = (nps => [ 0, 10 ], csat => [ 1, 5 ], ces => [ 1, 7 ]);
my @NAV = (Accept => 'text/html');
my @JSON = ('Content-Type' => 'application/json');

my $t = Ux::nginx(workers => 2, conf => conf())->start;

my (%variant, %answer, %purchased);

empty();
shop($_) for 1 .. SHOPPERS;
figures('shoppers');
metrics();
other_sources_same_rule();
currencies();
alike();
one_answer();
whose_answer();
unconfirmed();
another_experiment();
restarted();
$t->no_alerts;
known();

done_testing();


sub conf
{
    return <<'CONF';
ux_zone shop  8m snapshot=%%DIR%%/state totals=3;
ux_zone yen   2m currency=JPY;
ux_zone dinar 2m currency=KWD;

ux_experiment layout { variant control 1; variant one 1; goal purchase;
    metric nps type=mean; metric csat type=ratio; metric ces;
    cap 3.00; }
ux_experiment later { variant a 1; variant b 1; goal purchase; }
ux_experiment y zone=yen { variant a 1; variant b 1; metric nps type=mean; }
ux_experiment d zone=dinar { variant a 1; variant b 1;
    metric nps type=mean; }

ux_visitor_key $http_x_key;

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose layout;

    location / { add_header X-Variant $ux_variant_layout always;
        return 200 page; }
    location /later { ux_expose later; return 200 page; }
    location /buy { ux_event purchase value=10; return 204; }
    location /answer { ux_event nps value=$arg_nps if=$arg_n;
        ux_event csat value=$arg_csat if=$arg_c;
        ux_event ces value=$arg_ces currency=$arg_currency if=$arg_e;
        return 204; }
    location /none { ux_event nps; return 204; }
    location /told { ux_expose off; proxy_pass http://127.0.0.1:%%PORT_APP%%; }
    location /first { proxy_pass http://127.0.0.1:%%PORT_APP%%/told; }
    location = /beacon { ux_collect; }
    location = /paid { ux_collect trusted; }
    location /yen { ux_expose y; return 204; }
    location /yen/nps { ux_expose y; ux_event nps value=$arg_value zone=yen;
        return 204; }
    location /dinar { ux_expose d; return 204; }
    location /dinar/nps { ux_expose d;
        ux_event nps value=$arg_value currency=$arg_in zone=dinar;
        return 204; }
    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_APP%%;
    location /told { add_header X-UX-Event $arg_say; return 204; }
}
CONF
}


# Before anybody answers: every member, null for what is undefined.
sub empty
{
    my $got = $t->stats('/zones/shop/experiments/layout/variants/one');

    for my $survey (sort keys %SCALE) {
        my %groups = $survey eq 'nps'
            ? (promoters => 0, passives => 0, detractors => 0) : ();
        my ($from, $to) = @{ $SCALE{$survey} };

        is_deeply($got->{surveys}{$survey}, {
            answers => 0, response_rate => undef, response_ci => undef,
            score => undef, score_ci => undef, ci_level => 0.95, %groups,
            distribution => { map { $_ => 0 } $from .. $to },
            purchased => { answers => 0, score => undef },
            not_purchased => { answers => 0, score => undef },
        }, "nobody: $survey");
    }

    is_deeply([ sort keys %{ $got->{surveys} } ], [ sort keys %SCALE ],
        'nobody: no other survey');

    return;
}


# One shopper: a page, answers by one of four ways, some of them twice, a
# purchase before, after or never.
sub shop
{
    my ($n) = @_;

    my $who = "s$n";
    my $chance = sub { UxShopper::chance("$_[0]", $n) };
    my $one = $variant{$who} = page($who);
    my @acts;

    for my $survey (sort keys %SCALE) {
        next if $chance->("$survey?") > 0.7;

        my ($from, $to) = @{ $SCALE{$survey} };
        my $skew = $one eq 'one' ? 0.5 : 1.5;
        my $value = $from
            + int(($to - $from + 1) * $chance->($survey) ** $skew);

        $answer{$who}{$survey} = $value;
        push @acts, [ $survey, $value ];
        push @acts, [ $survey, $from ] if $chance->("$survey again") < 0.2;
    }

    if ($chance->('buys') < 0.5) {
        splice @acts, int((@acts + 1) * $chance->('when')), 0, [ 'buy' ];
        push @acts, [ 'buy' ] if $chance->('buys again') < 0.3;
        $purchased{$who} = 1;
    }

    for my $k (0 .. $#acts) {
        act($who, @{ $acts[$k] }, int 4 * $chance->("way $k"));
    }

    return;
}


sub page
{
    my ($who) = @_;

    return $t->get('/', @NAV, 'X-Key' => $who)->header('X-Variant');
}


sub act
{
    my ($who, $what, $value, $way) = @_;

    my @key = ('X-Key' => $who);
    my %if = (nps => 'n', csat => 'c', ces => 'e');

    return $t->get('/buy', @key) if $what eq 'buy';
    return $t->get("/answer?$what=$value&$if{$what}=1", @key) if $way == 0;
    return told($who, "$what;value=$value") if $way == 1;
    return beacon($who, qq({"event":"$what","value":$value})) if $way == 2;

    return trusted($who, $what, $value);
}


# By X-UX-Event of an application.
sub told
{
    my ($who, $say) = @_;

    return $t->get("/told?say=$say", 'X-Key' => $who);
}


sub beacon
{
    my ($who, $body, @headers) = @_;

    return $t->post('/beacon', $body, @JSON, 'X-Key' => $who, @headers);
}


sub trusted
{
    my ($who, $what, $value) = @_;

    return $t->post('/paid', qq([{"event":"$what","value":"$value",)
        . qq("visitor":"$who"}]), @JSON);
}


# All that "surveys" says, of both variants, against the answers above.
sub figures
{
    my ($name) = @_;

    my $variants = $t->stats('/zones/shop/experiments/layout/variants');

    for my $one (sort keys %$variants) {
        my @them = grep { $variant{$_} eq $one } sort keys %variant;
        cmp_ok(scalar @them, '>', 40, "$name: $one: shoppers");
        is($variants->{$one}{visitors}, @them, "$name: $one: visitors");

        for my $survey (sort keys %SCALE) {
            check($variants->{$one}{surveys}{$survey},
                "$name: $one: $survey", $survey, @them);
        }
    }

    return;
}


sub check
{
    my ($got, $name, $survey, @them) = @_;

    my ($from, $to) = @{ $SCALE{$survey} };
    my @who = grep { defined $answer{$_}{$survey} } @them;
    my @all = map { $answer{$_}{$survey} } @who;
    my @bought = map { $answer{$_}{$survey} } grep { $purchased{$_} } @who;
    my @other = map { $answer{$_}{$survey} } grep { !$purchased{$_} } @who;
    my %distribution = map { $_ => 0 } $from .. $to;

    $distribution{$_}++ for @all;
    cmp_ok(min(scalar @bought, scalar @other), '>', 5, "$name: answers");

    is($got->{answers}, @all, "$name: how many answered");
    near($got->{response_rate}, @all / @them, "$name: response rate");
    interval($got->{response_ci}, UxFigures::wilson(scalar @all,
        scalar @them), "$name: its interval");
    is_deeply($got->{distribution}, \%distribution, "$name: distribution");
    near($got->{score}, score($survey, @all), "$name: score");
    interval($got->{score_ci}, score_ci($survey, @all),
        "$name: its interval");
    is($got->{ci_level}, 0.95, "$name: level");

    for ([ purchased => @bought ], [ not_purchased => @other ]) {
        my ($part, @answers) = @$_;
        is($got->{$part}{answers}, @answers, "$name: $part");
        near($got->{$part}{score}, score($survey, @answers),
            "$name: $part: score");
    }

    return if $survey ne 'nps';

    is($got->{promoters}, (grep { $_ > 8 } @all), "$name: promoters");
    is($got->{passives}, (grep { $_ == 7 || $_ == 8 } @all),
        "$name: passives");
    is($got->{detractors}, (grep { $_ < 7 } @all), "$name: detractors");

    return;
}


sub score
{
    my ($survey, @answers) = @_;

    my $share = sub { (grep { $_[0]->($_) } @answers) / @answers };

    return sum0(@answers) / @answers if $survey eq 'ces';
    return $share->(sub { $_[0] >= 4 }) if $survey eq 'csat';

    return 100 * ($share->(sub { $_[0] >= 9 }) - $share->(sub { $_[0] <= 6 }));
}


sub score_ci
{
    my ($survey, @answers) = @_;

    my $n = @answers;

    return UxFigures::wilson(scalar(grep { $_ >= 4 } @answers), $n)
        if $survey eq 'csat';

    my @x = $survey eq 'ces' ? @answers
        : map { $_ >= 9 ? 100 : $_ <= 6 ? -100 : 0 } @answers;
    my @scale = $survey eq 'ces' ? (1, 7) : (-100, 100);

    my $mean = sum0(@x) / $n;
    my $variance = sum0(map { ($_ - $mean) ** 2 } @x) / ($n - 1);
    my $half = student($n - 1) * sqrt($variance / $n);

    return [ max($scale[0], $mean - $half), min($scale[1], $mean + $half) ];
}


# t with P(|T| > t) = 5 %, by the density's integral.
sub student
{
    my ($df) = @_;

    my $pi = 4 * atan2(1, 1);
    my $c = $df % 2 ? 1 / sqrt($pi) : sqrt($pi) / 2;
    for (my $v = 2 - $df % 2; $v < $df; $v += 2) { $c *= ($v + 1) / $v }
    $c /= sqrt($pi * $df);

    my $area = sub {
        my $h = $_[0] / 2000;
        my $f = sub { (1 + $_[0] ** 2 / $df) ** (-($df + 1) / 2) };
        return $c * $h / 3 * ($f->(0) + $f->($_[0])
            + sum0(map { ($_ % 2 ? 4 : 2) * $f->($_ * $h) } 1 .. 1999));
    };

    my ($lo, $hi) = (0, 40);
    for (1 .. 60) {
        my $t = ($lo + $hi) / 2;
        ($lo, $hi) = $area->($t) < 0.475 ? ($t, $hi) : ($lo, $t);
    }

    return $lo;
}


sub near
{
    my ($got, $expected, $name) = @_;

    ok(defined $got && abs($got - $expected) < 1e-7, $name)
        or diag('got ' . ($got // 'null') . ", expected $expected");

    return;
}


sub interval
{
    my ($got, $expected, $name) = @_;

    near($got && $got->[$_], $expected->[$_], "$name, " . qw(lower upper)[$_])
        for 0, 1;

    return;
}


# A survey as a metric: a number of each visitor, 0 of one without an answer;
# neither money nor capped as money is.
sub metrics
{
    my $variants = $t->stats('/zones/shop/experiments/layout/variants');

    for my $one (sort keys %$variants) {
        my $got = $variants->{$one}{metrics};
        my @them = grep { $variant{$_} eq $one } keys %variant;
        my @nps = map { $answer{$_}{nps} // () } @them;
        my @csat = map { $answer{$_}{csat} // () } @them;

        near($got->{nps}{sum}, sum0(@nps), "metric: $one: sum");
        near($got->{nps}{mean}, sum0(@nps) / @them, "metric: $one: mean");
        near($got->{csat}{ratio}, sum0(@csat) / @csat,
            "metric: $one: mean answer");
        is($got->{ces}{visitors}, (grep { $answer{$_}{ces} } @them),
            "metric: $one: how many answered");
        ok(exists $got->{nps}{currency} && !defined $got->{nps}{currency}
            && !defined $got->{nps}{cap} && !defined $got->{csat}{currency},
            "metric: $one: no money");
    }

    return;
}


# What is no answer is none from wherever it comes.
sub other_sources_same_rule
{
    my %way = (
        directive => sub { act($_[0], $_[1], $_[2], 0) },
        header => sub { act($_[0], $_[1], $_[2], 1) },
        beacon => sub { act($_[0], $_[1], $_[2], 2) },
        trusted => sub { act($_[0], $_[1], $_[2], 3) },
    );
    my $who = Ux::newcomer();
    page($who);

    for my $name (sort keys %way) {
        for (map { my $s = $_; map { [ $s, $_ ] } $SCALE{$s}[0] - 1,
            $SCALE{$s}[1] + 1, 4.5, 4.001, '0.9999999' } sort keys %SCALE)
        {
            is($t->changes(sub { $way{$name}->($who, @$_) }),
                'discarded.bad_event 1', "$name: $_->[0] of $_->[1]");
        }
    }

    is($t->changes(sub { $t->get('/none', 'X-Key' => $who) }),
        'discarded.bad_event 1', 'directive: no value');
    is($t->changes(sub { told($who, 'ces') }), 'discarded.bad_event 1',
        'header: no value');
    is($t->changes(sub { beacon($who, '{"event":"nps"}') }),
        'discarded.bad_event 1', 'beacon: no value');

    is($t->changes(sub { told($who, 'ces;value=4.000') }), 'events.ces 1',
        'a whole number however it is written');

    return;
}


# 9 is 9, with minor units or without, and whatever currency is said.
sub currencies
{
    my $unknown = Ux::newcomer();
    page($unknown);

    is($t->changes(sub { $t->get('/answer?ces=7&e=1&currency=JPY',
        'X-Key' => $unknown) }), 'events.ces 1', 'in yen: no foreign value');

    for ([ yen => 'y', '' ], [ dinar => 'd', '' ], [ dinar => 'd', 'EUR' ]) {
        my ($zone, $experiment, $in) = @$_;
        my $path = "/zones/$zone/experiments/$experiment/variants";
        my $who = Ux::newcomer();
        my $name = "$zone $in";

        $t->get("/$zone", @NAV, 'X-Key' => $who);
        my $before = $t->stats($path);
        my $nps = sub { $t->get("/$zone/nps?value=$_[0]&in=$in",
            'X-Key' => $who) };

        is($t->changes(sub { $nps->($_) }), "$zone.discarded.bad_event 1",
            "$name: $_ is no answer") for 11, 8.6, 8.9999;
        is($t->changes(sub { $nps->(9) }), "$zone.events.nps 1",
            "$name: 9 is one");

        my $after = $t->stats($path);
        is(sum0(map { $after->{$_}{surveys}{nps}{distribution}{9}
            - $before->{$_}{surveys}{nps}{distribution}{9} } keys %$after), 1,
            "$name: and is 9");
        near(sum0(map { $after->{$_}{metrics}{nps}{sum}
            - $before->{$_}{metrics}{nps}{sum} } keys %$after), 9,
            "$name: and adds 9");
    }

    return;
}


# Of answers that are all alike nobody can tell how far others lie.
sub alike
{
    for (1 .. 12) {
        my $who = Ux::newcomer();
        $t->get($_, @NAV, 'X-Key' => $who) for '/yen', '/yen/nps?value=9';
    }

    my $variants = $t->stats('/zones/yen/experiments/y/variants');

    for my $one (sort keys %$variants) {
        my $nps = $variants->{$one}{surveys}{nps};
        cmp_ok($nps->{answers}, '>', 1, "alike: $one: answers");
        is($nps->{score}, 100, "alike: $one: score");
        is($nps->{score_ci}, undef, "alike: $one: no interval");
    }

    return;
}


# How many gave which answer, whatever their variant: "nps 9 purchased".
sub answers
{
    my ($experiment) = @_;

    my $variants = $t->stats('/zones/shop/experiments/'
        . ($experiment || 'layout') . '/variants');
    my %n;

    for my $surveys (map { $_->{surveys} } values %$variants) {
        for my $survey (keys %SCALE) {
            my $got = $surveys->{$survey};
            $n{"$survey $_"} += $got->{distribution}{$_}
                for keys %{ $got->{distribution} };
            $n{"$survey $_"} += $got->{$_}{answers}
                for qw(purchased not_purchased);
        }
    }

    return \%n;
}


# What changes of these, and of the zone's events.
sub answered
{
    my ($work, $experiment) = @_;

    my $before = answers($experiment);
    my $events = $t->changes($work);
    my $after = answers($experiment);

    return join ', ', $events, map { "$_ " . ($after->{$_} - $before->{$_}) }
        grep { $after->{$_} != $before->{$_} } sort keys %$after;
}


# The first one, however often anybody says something else.
sub one_answer
{
    my $who = Ux::newcomer();
    page($who);

    is(answered(sub { beacon($who, '{"event":"nps","value":3}') }),
        'events.nps 1, nps 3 1, nps not_purchased 1', 'an answer');
    is(answered(sub { act($who, 'nps', 10, $_) }),
        'discarded.duplicate 1', "another, way $_") for 0 .. 3;

    # the purchase, once

    is(answered(sub { act($who, 'buy') }), 'events.purchase 1, '
        . 'purchases_without_id 1, nps not_purchased -1, nps purchased 1',
        'a purchase');
    is(answered(sub { act($who, 'buy') }), 'events.purchase 1, '
        . 'purchases_without_id 1', 'and another');
    is(answered(sub { act($who, 'csat', 5, 2) }), 'events.csat 1, csat 5 1, '
        . 'csat purchased 1', 'an answer after it');

    # a beacon again and again

    my $again = Ux::newcomer();
    page($again);

    is(answered(sub {
        my $c = $t->connection;
        for (1 .. REPLAYS) {
            my $r = $c->request('POST', '/beacon', [ @JSON,
                'X-Key' => $again ], '{"event":"ces","value":2}');
            die "no 204\n" unless $r && $r->status == 204;
            $c = $t->connection
                if ($r->header('Connection') || '') eq 'close';
        }
    }), 'discarded.duplicate ' . (REPLAYS - 1)
        . ', events.ces 1, ces 2 1, ces not_purchased 1',
        'a beacon replayed: one answer');

    return;
}


# Of an untrusted beacon the sender's; of a trusted one whom it names.
sub whose_answer
{
    my ($alice, $bob) = (Ux::newcomer(), Ux::newcomer());
    page($_) for $alice, $bob;

    is(answered(sub { beacon($alice, qq({"event":"nps","value":8,)
        . qq("visitor":"$bob"}) ) }), 'events.nps 1, nps 8 1, '
        . 'nps not_purchased 1', "another's name: an answer");
    is(answered(sub { beacon($alice, '{"event":"nps","value":7}') }),
        'discarded.duplicate 1', "another's name: it was the sender's");
    is(answered(sub { beacon($bob, '{"event":"nps","value":0}') }),
        'events.nps 1, nps 0 1, nps not_purchased 1',
        "another's name: who was named can still answer");
    is(answered(sub { trusted($alice, 'csat', 1) }), 'events.csat 1, '
        . 'csat 1 1, csat not_purchased 1', 'trusted: an answer');
    is(answered(sub { beacon($alice, '{"event":"csat","value":5}') }),
        'discarded.duplicate 1', 'trusted: it was of the named');
    is(answered(sub { beacon(Ux::newcomer(), '{"event":"nps","value":5}') }),
        'discarded.not_exposed 1', 'of nobody we know: none');

    return;
}


# It waits for the cookie to come back.
sub unconfirmed
{
    my $browser = $t->browser;

    is(answered(sub { $browser->go(
        '/first?say=nps;value=6,nps;value=10') }), 'assigned 1, '
        . 'discarded.duplicate 1, events.nps 1', 'unconfirmed: it waits');
    is(answered(sub { $browser->go('/') }),
        'visitors 1, nps 6 1, nps not_purchased 1', 'unconfirmed: it counts');
    is(answered(sub { $browser->fetch('/answer?nps=9&n=1') }),
        'discarded.duplicate 1', 'unconfirmed: and stands');

    return;
}


# An answer stands for the experiments the visitor was exposed to before it;
# the next one for those since.
sub another_experiment
{
    my $who = Ux::newcomer();
    page($who);
    beacon($who, '{"event":"nps","value":2}');
    $t->get('/later', @NAV, 'X-Key' => $who);

    my $layout = answers();
    is(answered(sub { beacon($who, '{"event":"nps","value":9}') }, 'later'),
        'events.nps 1, nps 9 1, nps not_purchased 1',
        'exposed since: another answer stands for it');
    is_deeply(answers(), $layout, 'exposed since: not for the one before');
    is(answered(sub { beacon($who, '{"event":"nps","value":4}') }, 'later'),
        'discarded.duplicate 1', 'exposed since: then no more');

    return;
}


# A snapshot keeps it all, and who has answered.
sub restarted
{
    my $surveys = sub {
        my $variants = $t->stats('/zones/shop/experiments/layout/variants');
        return { map { $_ => $variants->{$_}{surveys} } keys %$variants };
    };
    my $before = $surveys->();
    my ($who) = grep { defined $answer{$_}{nps} && !$purchased{$_} }
        sort keys %answer;

    $t->stop;
    $t->start;
    is_deeply($surveys->(), $before, 'restart: every figure');

    is(answered(sub { beacon($who, '{"event":"nps","value":9}') }),
        'discarded.duplicate 1', 'restart: who has answered, has');
    is(answered(sub { act($who, 'buy') }) =~ /nps not_purchased -1/, 1,
        'restart: and what');

    return;
}


# Where nothing names them they are unknown, and take no memory.
sub known
{
    my $conf = <<'CONF';
ux_zone shop 1m;
ux_experiment e { variant a 1; variant b 1; goal purchase; }
server { listen 127.0.0.1:%%PORT%%; ux_visitor_key $http_x_key;
    ux_expose e;
    location / { add_header X-UX-Event "nps;value=9" always; return 200; }
    location /told { proxy_pass http://127.0.0.1:%%PORT%%/app; }
    location = /app { ux_expose off; return 200; }
    location /uxstats { ux_stats; }
    %%MORE%% }
server { listen 127.0.0.1:%%PORT_APP%%;
    location / { add_header X-UX-Event "nps;value=9" always; return 200; } }
CONF
    $conf =~ s/%%PORT%%\/app/%%PORT_APP%%\//;

    for my $more ('', 'location = /beacon { ux_collect; }') {
        my $s = Ux::nginx(conf => $conf =~ s/%%MORE%%/$more/r)->start;
        $s->get('/told', @NAV, 'X-Key' => 'one');

        my $zone = $s->stats('/zones/shop');
        is($zone->{events}{nps} // 'unknown', $more ? 1 : 'unknown',
            "known by ux_collect ($more)");
        is($zone->{discarded}{unknown_event}, $more ? 0 : 1,
            "else unknown ($more)");
        is(sum0(map { $_->{surveys}{nps}{answers} }
            values %{ $zone->{experiments}{e}{variants} }), $more ? 1 : 0,
            "and counted ($more)");
        $s->no_alerts;
    }

    return;
}
