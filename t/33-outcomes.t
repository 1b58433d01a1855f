#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What events add up to: money, metrics, funnels in order, carts that are
# bought, left and found again, and windows.  All over HTTP, each rule with
# visitors of its own and numbers worked out by hand.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxClock;
use UxCount;
use UxTest;


my $clock = UxClock->new or plan skip_all => 'no compiler for a clock';
my $t = Ux::nginx(
    backends => { APP => sub {
        my ($request) = @_;
        my $say = ($request->values('X-Say'))[0];
        return (200, [ defined $say ? ('X-UX-Event' => $say) : () ], 'said');
    } },
    conf => configuration())->start;

my $cohorts = open_carts();

money();
foreign_money();
refunds();
means_and_counts();
order();
before_exposure();
at_once();
windows();
settled_carts($cohorts);
every_number_is_sane();

$t->no_alerts;

done_testing();


# Every experiment puts everybody into its first variant.
sub configuration
{
    my $conf = <<'CONF';
ux_zone shop 8m totals=4;

ux_experiment worth {
    variant a 1;
    variant b 0;
    goal    purchase;
    metric  revenue;
    metric  nps type=mean;
    metric  newsletter type=count;
}

ux_experiment capped {
    variant a 1;
    variant b 0;
    goal    purchase;
    metric  revenue;
    cap     20.00;
}

ux_experiment orders { variant a 1; variant b 0; goal purchase; }
ux_experiment carts  { variant a 1; variant b 0; goal purchase; }
ux_experiment short  { variant a 1; variant b 0; goal purchase; window 1h; }
ux_experiment long   { variant a 1; variant b 0; goal purchase; }

ux_funnel checkout {
    step view_item;
    step add_to_cart;
    step begin_checkout optional;
    step purchase;
    cart add_to_cart within=1h;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;

    proxy_set_header X-Say $http_x_say;

    location = /worth   { ux_expose worth capped; return 200; }
    location = /orders  { ux_expose orders; return 200; }
    location = /carts   { ux_expose carts; return 200; }
    location = /windows { ux_expose short long; return 200; }
    location = /short   { ux_expose short; return 200; }

    location = /say     { proxy_pass http://%%APP%%; }
    location = /at_once { ux_expose orders; ux_event purchase; return 200; }
    location = /view    { ux_expose off; ux_event view_item; return 200; }
    location = /add     { ux_expose off; ux_event add_to_cart; return 200; }

    location /uxstats { ux_stats; }
}
CONF

    return $conf;
}


# Who is exposed at this page.
sub exposed
{
    my ($page) = @_;

    my $user = Ux::newcomer();
    $t->navigate($page, 'X-User' => $user);

    return $user;
}


# The application says so in an answer to this visitor.
sub say_of
{
    my ($user, $say) = @_;

    return $t->changes(sub {
        $t->get('/say', 'X-User' => $user, 'X-Say' => $say);
    });
}


sub variant
{
    my ($experiment) = @_;

    return $t->stats("/zones/shop/experiments/$experiment/variants/a");
}


sub cents { return sprintf '%.0f', 100 * $_[0] }


sub money
{
    my %cents = ('49.90' => 4990, '49.905' => 4991, '49.904' => 4990,
        '0.005' => 1, '0.004' => 0, '0' => 0, '7' => 700, '007' => 700,
        '0.1' => 10, '99.999' => 10000, '10000000000.00' => 1e12,
        '1.00000000000000000000000000' => 100,
        '0.00499999999999999999999999' => 0);

    for my $value (sort keys %cents) {
        my $user = exposed('/worth');
        my $before = variant('worth')->{metrics}{revenue}{sum};
        is(say_of($user, qq{purchase;id=a;value="$value"}),
            'events.purchase 1', "value $value: taken");
        my $after = variant('worth')->{metrics}{revenue}{sum};
        is(cents($after) - cents($before), $cents{$value},
            "value $value: so many cents");
    }

    for my $value ('-1', '-0.01', '1,50', '1 000', 'ten', 'NaN', 'inf',
        '0x10', '1e3', '1.2.3', '10000000000.01', '9' x 40)
    {
        my $before = variant('worth')->{metrics};
        is(say_of(exposed('/worth'), qq{purchase;id=a;value="$value"}),
            'discarded.bad_event 1', "value $value: refused");
        is(variant('worth')->{metrics}{purchase}{events},
            $before->{purchase}{events}, "value $value: and all of it");
    }

    return;
}


sub foreign_money
{
    my $user = exposed('/worth');
    my $before = variant('worth')->{metrics};

    is(say_of($user, 'purchase;id=a;value=100.5;currency=USD'),
        'events.purchase 1', 'another currency is an order as well');
    say_of($user, 'purchase;id=b;value=1000;currency=JPY');
    say_of($user, 'purchase;id=c;value=10.125;currency=USD');
    say_of($user, 'purchase;id=d;value=1.234;currency=KWD');

    my $after = variant('worth')->{metrics};
    is($after->{purchase}{events} - $before->{purchase}{events}, 4,
        'and a conversion');
    is(cents($after->{revenue}{sum}), cents($before->{revenue}{sum}),
        'but never added to ours');

    my $other = $t->stats('/zones/shop')->{other_currencies};
    is_deeply([ sort keys %$other ], [ 'JPY', 'KWD', 'USD' ],
        'each is shown apart');
    is_deeply([ map { $other->{$_}{sum} } 'JPY', 'KWD', 'USD' ],
        [ 1000, 1.234, 110.63 ], 'in its own units, rounded to them');

    my @told = grep { $_->{code} eq 'currency' }
        @{$t->stats('/zones/shop/experiments/worth')->{problems}};
    like(@told ? $told[0]{text} : '', qr/^\d+ amounts .* another currency/,
        'and a problem of every experiment with money in it');

    return;
}


sub refunds
{
    my $user = exposed('/worth');
    my $sum = sub { cents(variant('worth')->{metrics}{revenue}{sum}) };
    my $start = $sum->();

    say_of($user, 'purchase;id=a;value=50');
    my $buyers = variant('worth')->{metrics}{purchase}{visitors};

    is(say_of($user, 'refund;id=a;value=20.50'), 'events.refund 1',
        'a refund, under the id of its order');
    is($sum->() - $start, 2950, 'a refund is taken off');
    is(say_of($user, 'refund;id=a;value=20.50'), 'discarded.duplicate 1',
        'once');
    is(say_of($user, 'refund'), 'discarded.bad_event 1',
        'a refund needs a value');
    is(say_of($user, 'refund;id=b;value=30'),
        'discarded.refund_excess 1, events.refund 1',
        'a refund of more than there was');
    is($sum->() - $start, 0, 'takes all there was');
    is(variant('worth')->{metrics}{purchase}{visitors}, $buyers,
        'a refund leaves the conversion');
    say_of($user, 'purchase;id=c;value=5');
    is($sum->() - $start, 500, 'and what is bought later counts anew');

    return;
}


# Sums, means and variances of visitors' totals: differences of the power
# sums before and after.
sub means_and_counts
{
    my @events = (
        [ 'purchase;id=a;value=10', 'purchase;id=b;value=15.50',
            'nps;value=9', 'newsletter' ],
        [ 'purchase;id=a;value=3.25', 'newsletter, newsletter' ],
        [ 'nps;value=7', 'nps;value=2' ],
        [],
        [ 'newsletter;value=100', 'purchase;id=a;value=19.99, '
            . 'purchase;id=b;value=0.02', 'refund;id=b;value=0.02' ],
    );
    my %totals = (
        'worth revenue'    => [ 25.50, 3.25, 0, 0, 19.99 ],
        'capped revenue'   => [ 20.00, 3.25, 0, 0, 19.99 ],
        'worth nps'        => [ 9, 0, 7, 0, 0 ],     # one answer each
        'worth newsletter' => [ 1, 2, 0, 0, 1 ],
    );
    my %before = map { $_ => power_sums($_) } keys %totals;

    for my $list (@events) {
        my $user = exposed('/worth');
        say_of($user, $_) for @$list;
    }

    for my $name (sort keys %totals) {
        my $after = power_sums($name);
        my @expected = (0, 0, 0);
        for my $x (@{ $totals{$name} }) {
            $expected[0]++;
            $expected[1] += $x;
            $expected[2] += $x * $x;
        }
        my @got = map { $after->[$_] - $before{$name}[$_] } 0 .. 2;
        is($got[0], $expected[0], "$name: visitors");
        near($got[1], $expected[1], $after->[1], "$name: sum and mean");
        near($got[2], $expected[2], $after->[2], "$name: variance");
    }

    is(variant('worth')->{metrics}{newsletter}{type}, 'count', 'count');
    is(variant('worth')->{metrics}{nps}{type}, 'mean', 'mean');
    is(variant('capped')->{metrics}{revenue}{cap}, 20, 'the cap is shown');

    return;
}


# Visitors, sum and sum of squares, from what is shown.
sub power_sums
{
    my ($experiment, $metric) = split / /, $_[0];
    my $variant = variant($experiment);
    my $m = $variant->{metrics}{$metric};
    my $n = $variant->{visitors};

    near($m->{mean} * $n, $m->{sum}, $m->{sum}, "$_[0]: mean = sum / n");

    return [ $n, $m->{sum},
        $m->{variance} * ($n - 1) + $n * $m->{mean} ** 2 ];
}


sub near
{
    my ($got, $expected, $scale, $name) = @_;

    my $error = abs($got - $expected);
    ok($error <= 1e-9 * (1 + abs $scale), $name)
        or diag("got $got, expected $expected");

    return;
}


# The funnel's steps as "visitors/in order/before" each.
sub steps
{
    my ($experiment) = @_;

    return join ' ', map { join '/', @$_{qw(visitors visitors_in_order
        visitors_before_exposure)} }
        @{ variant($experiment)->{funnels}{checkout}{steps} };
}


sub order
{
    my %way = ('in order' => 'view_item add_to_cart begin_checkout purchase',
        'optional left out' => 'view_item add_to_cart purchase',
        'others between' => 'view_item nps view_item newsletter add_to_cart '
            . 'refund;value=0 purchase',
        'optional late' => 'view_item add_to_cart purchase begin_checkout',
        'required left out' => 'view_item begin_checkout purchase',
        'backwards' => 'purchase begin_checkout add_to_cart view_item',
        'again, in order' => 'purchase view_item add_to_cart purchase',
        'only bought' => 'purchase');
    my %steps = (
        'in order'          => '1/1/0 1/1/0 1/1/0 1/1/0',
        'optional left out' => '1/1/0 1/1/0 0/0/0 1/1/0',
        'others between'    => '1/1/0 1/1/0 0/0/0 1/1/0',
        'optional late'     => '1/1/0 1/1/0 1/1/0 1/1/0',
        'required left out' => '1/1/0 0/0/0 1/0/0 1/0/0',
        'backwards'         => '1/1/0 1/0/0 1/0/0 1/0/0',
        'again, in order'   => '1/1/0 1/1/0 0/0/0 1/1/0',
        'only bought'       => '0/0/0 0/0/0 0/0/0 1/0/0',
    );

    for my $case (sort keys %way) {
        my $before = steps('orders');
        my $user = exposed('/orders');
        say_of($user, $_) for split / /, $way{$case};
        is(less(steps('orders'), $before), $steps{$case},
            "$case: visitors, in order, before");
    }

    return;
}


# "5/4 3/2" less "1/1 0/0" is "4/3 3/2".
sub less
{
    my ($after, $before) = @_;

    my @before = $before =~ /\d+/g;

    return $after =~ s/(\d+)/$1 - shift @before/ger;
}


sub before_exposure
{
    my %pages = (
        'both steps before'   => [ '/view', '/add' ],
        'one step before'     => [ '/view' ],
        'the second before'   => [ '/add' ],
    );
    my %steps = (
        'both steps before' => '0/0/1 0/0/1 0/0/0 1/1/0',
        'one step before'   => '0/0/1 0/0/0 0/0/0 1/0/0',
        'the second before' => '0/0/0 0/0/1 0/0/0 1/0/0',
    );

    for my $case (sort keys %pages) {
        my $before = steps('orders');
        my $user = Ux::newcomer();

        for my $page (@{ $pages{$case} }) {
            like($t->changes(sub { $t->navigate($page, 'X-User' => $user) }),
                qr/^events\.\w+ 1$/, "$case: an event, no exposure");
        }
        $t->navigate('/orders', 'X-User' => $user);
        say_of($user, 'purchase;id=a');
        is(less(steps('orders'), $before), $steps{$case},
            "$case: visitors, in order, before");
    }

    return;
}


# Two hours pass: carts are left and windows close, whose moments are rounded.
sub later
{
    $clock->forward(7200);
    $t->get('/uxstats') for 1, 2;

    return;
}


# The cohorts of carts, made first: they settle while other rules are shown.
sub open_carts
{
    my %carts = map { $_ => exposed('/carts') } 'bought', 'left', 'further',
        'found', 'twice', 'two', 'none';
    my $add = sub { $t->navigate('/add', 'X-User' => $_[0]) };
    my ($carried, $old) = (Ux::newcomer(), Ux::newcomer());

    $add->($old);
    $carts{old} = $old;
    $add->($carts{$_}) for 'bought', 'left', 'further', 'found', 'twice',
        'twice', 'two';
    say_of($carts{$_}, 'purchase;id=a') for 'bought', 'two', 'none';
    say_of($carts{further}, 'begin_checkout');
    say_of($carts{further}, 'view_item');
    $add->($carts{two});

    $add->($carried);
    $t->navigate('/carts', 'X-User' => $carried);

    my $carts = variant('carts')->{funnels}{checkout}{carts};
    is_deeply([ @$carts{qw(created carried_in open purchased abandoned
        recovered settled purchases_without_cart)} ],
        [ 8, 1, 6, 2, 0, 0, 0, 1 ], 'carts: while all are young');
    is($carts->{abandonment_rate}, undef, 'carts: no rate yet');

    return \%carts;
}


sub settled_carts
{
    my ($carts) = @_;

    my ($seen, @wrong);
    my $look = sub {
        $seen = variant('carts')->{funnels}{checkout}{carts};
        push @wrong, join ' ', map { "$_ $seen->{$_}" } sort keys %$seen
            if $seen->{created} != $seen->{open} + $seen->{purchased}
                + $seen->{abandoned}
            || $seen->{recovered} > $seen->{abandoned};
        return $seen;
    };

    later();
    ok(Ux::wait_until(sub { $look->()->{open} == 0 }),
        'carts: in the end none is open');
    say_of($carts->{found}, 'purchase;id=late');
    $t->navigate('/carts', 'X-User' => $carts->{old});
    is($look->()->{carried_in}, 1,
        'carts: one past its window is not carried in');
    $t->navigate('/add', 'X-User' => $carts->{$_}) for 'old', 'left';
    is($look->()->{open}, 1, 'carts: but a new one opens, where a left one '
        . 'would not be opened again');
    later();
    ok(Ux::wait_until(sub { $look->()->{open} == 0 }),
        'carts: until that is left, too');

    is_deeply([ @$seen{qw(created carried_in purchased abandoned recovered
        settled purchases_without_cart)} ], [ 9, 1, 2, 7, 1, 9, 1 ],
        'carts: what became of them');
    is_deeply([ @{ $seen->{abandoned_after} }{qw(add_to_cart
        begin_checkout)} ], [ 6, 1 ], 'carts: where they were left');
    near($seen->{abandonment_rate}, 7 / 9, 1, 'carts: abandonment rate');
    is_deeply(variant('carts')->{funnels}{checkout}{biggest_loss},
        { after => 'add_to_cart', carts => 6 }, 'carts: the biggest loss');
    is("@wrong", '', 'carts: created = open + purchased + abandoned at every '
        . 'look');

    return;
}


# The request's exposure comes first.
sub at_once
{
    my $before = variant('orders')->{metrics}{purchase};

    is($t->changes(sub {
        $t->navigate('/at_once', 'X-User' => Ux::newcomer());
    }), 'events.purchase 1, purchases_without_id 1, visitors 1',
        'exposed and bought by one request');

    my $after = variant('orders')->{metrics}{purchase};

    is($after->{visitors} - $before->{visitors}, 1,
        'exposed and bought by one request: a conversion');

    return;
}


sub windows
{
    my ($both, $short) = (exposed('/windows'), exposed('/short'));
    my $bought = sub { variant($_[0])->{metrics}{purchase}{events} };

    is(say_of($both, 'purchase;id=a'), 'events.purchase 1',
        'within the window: taken');
    my ($open, $other) = map { variant($_)->{visitors_in_window} }
        qw(short long);

    is($open, 2, 'visitors_in_window: both are in theirs');
    is($other, 1, 'visitors_in_window: of the long one');
    is($bought->('short'), 1, 'within the window: counts');

    later();
    my $before = $bought->('short');
    is(say_of($short, 'purchase;id=b'),
        'discarded.after_window 1, events.purchase 1',
        'after the only window: told so');
    is(say_of($both, 'purchase;id=b'), 'events.purchase 1',
        'after one window of two: no');
    is($bought->('short'), $before, 'after the window: does not count');
    is($bought->('long'), 2, 'within the other: counts');

    Ux::wait_until(sub { !variant('short')->{visitors_in_window} }, 5);
    is(variant('short')->{visitors_in_window}, 0,
        'visitors_in_window: nobody, once the windows are over');
    is(variant('short')->{visitors}, 2, 'visitors: all the same');
    is(variant('long')->{visitors_in_window}, 1,
        'visitors_in_window: the long one is open yet');

    return;
}


sub every_number_is_sane
{
    my @wrong;

    sane('', $t->stats('/'), \@wrong);
    is(join("\n", @wrong), '', 'every number of /uxstats makes sense');

    for my $experiment (qw(worth capped orders carts short long)) {
        my $variants = $t->stats("/zones/shop/experiments/$experiment")
            ->{variants};
        is($variants->{b}{assigned}, 0, "$experiment: weight 0 takes nobody");
    }

    return;
}


sub sane
{
    my ($path, $value, $wrong) = @_;

    if (ref $value eq 'HASH') {
        sane("$path/$_", $value->{$_}, $wrong) for sort keys %$value;
        variant_is_sane($path, $value, $wrong) if exists $value->{funnels};

    } elsif (ref $value eq 'ARRAY') {
        sane("$path/$_", $value->[$_], $wrong) for 0 .. $#$value;

    } elsif (defined $value && $value =~ /^[-+]?\d/ && !ref $value) {
        return if $path =~ /(?:_at|nginx|module|path|text)$/;

        my $signed = $path =~ /(?:lift|difference|mean|ratio|nps\/score)
            (?:_ci\/\d)?$|nps\/(?:not_)?purchased\/score$/x;

        push @$wrong, "$path: $value"
            if $value !~ /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i
            || ($value < 0 && !$signed)
            || ($path =~ /(?:rate|share|rate_ci\/\d|p_\w+|_p)$/ && $value > 1)
            || ($path =~ /(?:visitors|events|assigned|requests)$/
                && $value != int $value);
    }

    return;
}


sub variant_is_sane
{
    my ($path, $v, $wrong) = @_;

    push @$wrong, "$path: more visitors than assigned"
        if $v->{visitors} > $v->{assigned};

    for my $name (keys %{ $v->{metrics} }) {
        my $m = $v->{metrics}{$name};
        push @$wrong, "$path: $name: more visitors than there are"
            if ($m->{visitors} || 0) > $v->{visitors};
        push @$wrong, "$path: $name: fewer events than visitors"
            if ($m->{events} || 0) < ($m->{visitors} || 0);
        push @$wrong, "$path: $name: interval without its rate"
            if $m->{rate_ci} && ($m->{rate} < $m->{rate_ci}[0]
                || $m->{rate} > $m->{rate_ci}[1]);
    }
    for my $step (@{ $v->{funnels}{checkout}{steps} }) {
        push @$wrong, "$path: $step->{event}: in order, yet not there"
            if $step->{visitors_in_order} > $step->{visitors};
    }

    return;
}
