#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A morning of a real shop, replayed as HTTP requests through several
# workers, must be counted exactly as a plain reading of the rules counts it.
#
# The recorded events are requests of visitors known by a key; one visitor's
# requests keep their order, all visitors run at once over eight connections.
# The expected numbers are counted below from the file alone, by the rules of
# exposure, funnel, cart and revenue, and share no code with the module.  The
# replay takes seconds, so by the server's clock everything lies inside one
# window: no cart is old enough to be abandoned.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;

use constant CONNECTIONS => 8;


my $file = Ux::data('rees46_oct2019/2019-Oct-head.csv');

plan skip_all => "no recorded traffic at $file" unless -r $file;

my $conf = <<'CONF';
ux_zone shop 16m;

ux_experiment checkout_layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    window off;
}

ux_funnel shop {
    step view_item;
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    keepalive_requests 100000;
    add_header X-Variant $ux_variant_checkout_layout;

    location = /view {
        ux_expose all;
        ux_event view_item value=$arg_price;
        try_files /page.html =404;
    }

    location = /cart {
        ux_expose all;
        ux_event add_to_cart value=$arg_price;
        return 302 /view;
    }

    location = /purchase {
        ux_expose all;
        ux_event purchase value=$arg_price;
        try_files /page.html =404;
    }

    location /uxstats { ux_stats; }
}
CONF


my @rows = read_rows($file);
my $expected_all = count(\@rows, sub { 'all' })->{all};

recorded_numbers_agree();

my ($t, $variant_of, $expected);

for my $workers (2, 1, 4) {
    subtest "workers: $workers" => sub {
        $t = Ux::nginx(workers => $workers, conf => $conf,
            files => { 'page.html' => '<p>shop</p>' })->start;
        $variant_of = replay($t);
        $expected = count(\@rows, sub { $variant_of->{$_[0]} });

        variants_are_what_uxctl_says();
        variants_are_counted_exactly();
        sums_are_exact();
        zone_is_exact();
        $t->no_alerts;
    };
}

done_testing();


# The good rows: [user, event, price].  The file's last line is cut off.
sub read_rows
{
    my ($path) = @_;

    my @rows;

    open my $in, '<', $path or die "cannot read $path: $!\n";
    my $header = <$in>;
    while (my $line = <$in>) {
        chomp $line;
        my @field = split /,/, $line, -1;
        push @rows, [ @field[7, 1, 6] ] if @field == 9;
    }

    return @rows;
}


# Money in hundredths, from the digits: no floating point.
sub cents
{
    my ($amount) = @_;

    my ($whole, $part) = $amount =~ /^(\d+)(?:\.(\d{1,2}))?$/
        or die "not an amount: $amount\n";

    return $whole * 100 + substr((defined $part ? $part : '') . '00', 0, 2);
}


# What each group of visitors did, told apart by sub (user) -> group.
sub count
{
    my ($rows, $group_of) = @_;

    my (%sum, %visitor);

    for my $row (@$rows) {
        my ($user, $event, $price) = @$row;
        my $sum = $sum{$group_of->($user)} ||= new_sum();
        my $visitor = $visitor{$user} ||= { reached => 0, cart => '',
            revenue => 0 };

        $sum->{visitors}++ unless $visitor->{known}++;
        $sum->{events}{$event}++;
        $sum->{event_visitors}{$event}++ unless $visitor->{did}{$event}++;
        count_order($sum, $visitor, $event);
        count_cart($sum, $visitor, $event);
        count_money($sum, $visitor, cents($price)) if $event eq 'purchase';
    }

    return \%sum;
}


sub new_sum
{
    return { visitors => 0, revenue => 0, squares => 0,
        created => 0, purchased => 0, without_cart => 0,
        in_order => [ 0, 0, 0 ],
        events => { view => 0, cart => 0, purchase => 0 },
        event_visitors => { view => 0, cart => 0, purchase => 0 } };
}


# A step is reached by its event once all steps before it were reached.
sub count_order
{
    my ($sum, $visitor, $event) = @_;

    my @steps = qw(view cart purchase);

    return if $visitor->{reached} == @steps
        || $steps[$visitor->{reached}] ne $event;

    $sum->{in_order}[$visitor->{reached}++]++;

    return;
}


# A cart opens with the first cart event after the last purchase.
sub count_cart
{
    my ($sum, $visitor, $event) = @_;

    if ($event eq 'cart' && $visitor->{cart} ne 'open') {
        $visitor->{cart} = 'open';
        $sum->{created}++;

    } elsif ($event eq 'purchase' && $visitor->{cart} eq 'open') {
        $visitor->{cart} = 'purchased';
        $sum->{purchased}++;

    } elsif ($event eq 'purchase') {
        $sum->{without_cart}++;
    }

    return;
}


# Squares are of a visitor's total.  They stay below 2^53 here.
sub count_money
{
    my ($sum, $visitor, $cents) = @_;

    $sum->{revenue} += $cents;
    $sum->{squares} -= $visitor->{revenue} ** 2;
    $visitor->{revenue} += $cents;
    $sum->{squares} += $visitor->{revenue} ** 2;

    return;
}


# Guards the counting above: these numbers came with the recording.
sub recorded_numbers_agree
{
    my $all = $expected_all;

    is(scalar @rows, 17434, 'recording: good rows');
    is($all->{visitors}, 4504, 'recording: users');
    is_deeply($all->{events}, { view => 17055, cart => 165, purchase => 214 },
        'recording: events');

    return;
}


# Sends everything; returns the variant each user was told.
sub replay
{
    my ($nginx) = @_;

    my @told = Ux::parallel(CONNECTIONS, sub { replay_shard($nginx, @_) });
    my %variant = map { %$_ } @told;

    is(scalar keys %variant, $expected_all->{visitors},
        'replay: every user was answered in one variant');

    return \%variant;
}


sub replay_shard
{
    my ($nginx, $shard) = @_;

    my $connection = $nginx->connection;
    my %variant;

    for my $row (@rows) {
        my ($user, $event, $price) = @$row;
        next if $user % CONNECTIONS != $shard;

        my $response = $connection->request('GET', "/$event?price=$price",
            [ 'X-User' => $user, 'Accept' => 'text/html' ])
            or die "no answer to $user, $event\n";
        my $variant = $response->header('X-Variant');

        die "status " . $response->status . " for $event\n"
            if $response->status != ($event eq 'cart' ? 302 : 200);
        die "user $user has no variant\n" unless defined $variant;
        die "user $user was moved\n"
            if ($variant{$user} ||= $variant) ne $variant;
    }

    return \%variant;
}


sub variants_are_what_uxctl_says
{
    my @users = sort keys %$variant_of;
    my $said = Ux::assign('checkout_layout:control=50,one_page=50', \@users);
    my @differ = grep { $said->{$_} ne $variant_of->{$_} } @users;

    is(scalar @differ, 0, 'uxctl assign agrees with the answers')
        or diag "first: user $differ[0]";

    return;
}


sub variants_are_counted_exactly
{
    my $stats = $t->stats('/zones/shop/experiments/checkout_layout');

    is_deeply([ sort keys %{ $stats->{variants} } ],
        [ qw(control one_page) ], 'both variants are there');

    for my $name (qw(control one_page)) {
        is_deeply(measured($stats->{variants}{$name}),
            wanted($expected->{$name}), "$name: all numbers are exact");
        spread_is_right($name, $stats->{variants}{$name});
    }

    is($stats->{crossover_visitors}, 0, 'nobody was seen in two variants');
    is($stats->{moved_visitors}, 0, 'nobody was moved');

    return;
}


# The same set of numbers, once from /uxstats and once from our count.
sub measured
{
    my ($variant) = @_;

    my $funnel = $variant->{funnels}{shop};
    my $carts = $funnel->{carts};

    return {
        assigned => $variant->{assigned}, visitors => $variant->{visitors},
        (map { ("metric $_" => [ @{ $variant->{metrics}{$_} }
            {qw(visitors events)} ]) }
            qw(view_item add_to_cart purchase)),
        revenue => hundredths($variant->{metrics}{revenue}{sum}),
        steps => [ map { [ @$_{qw(event visitors events
            visitors_in_order visitors_before_exposure)} ] }
            @{ $funnel->{steps} } ],
        carts => { map { $_ => $carts->{$_} } qw(created carried_in open
            purchased abandoned recovered purchases_without_cart) },
    };
}


sub wanted
{
    my ($sum) = @_;

    my @events = ([ view_item => 'view' ], [ add_to_cart => 'cart' ],
        [ purchase => 'purchase' ]);
    my $step = 0;

    return {
        assigned => $sum->{visitors}, visitors => $sum->{visitors},
        (map { ("metric $_->[0]" => [ $sum->{event_visitors}{$_->[1]},
            $sum->{events}{$_->[1]} ]) } @events),
        revenue => $sum->{revenue},
        steps => [ map { [ $_->[0], $sum->{event_visitors}{$_->[1]},
            $sum->{events}{$_->[1]}, $sum->{in_order}[$step++], 0 ] }
            @events ],
        carts => { created => $sum->{created}, carried_in => 0,
            open => $sum->{created} - $sum->{purchased},
            purchased => $sum->{purchased}, abandoned => 0, recovered => 0,
            purchases_without_cart => $sum->{without_cart} },
    };
}


sub hundredths
{
    my ($number) = @_;

    return defined $number ? sprintf '%.0f', $number * 100 : 'undefined';
}


# Mean and sample variance of the revenue of a visitor.
sub spread_is_right
{
    my ($name, $variant) = @_;

    my ($sum, $revenue) = ($expected->{$name}, $variant->{metrics}{revenue});
    my $n = $sum->{visitors};
    my $mean = $sum->{revenue} / 100 / $n;
    my $variance = ($sum->{squares} / 1e4 - $n * $mean ** 2) / ($n - 1);

    ok(abs($revenue->{mean} - $mean) <= 1e-9 * $mean,
        "$name: revenue per visitor") or diag $revenue->{mean}, ' ', $mean;
    ok(abs($revenue->{variance} - $variance) <= 1e-9 * $variance,
        "$name: its variance") or diag $revenue->{variance}, ' ', $variance;

    return;
}


# Over both variants, against a count that knows nothing of variants.
sub sums_are_exact
{
    my $variants = $t->stats('/zones/shop/experiments/checkout_layout')
        ->{variants};
    my ($a, $b) = map { measured($variants->{$_}) } qw(control one_page);

    is_deeply(add($a, $b), wanted($expected_all), 'sums over variants');

    return;
}


# Adds two of the structures above, number by number.
sub add
{
    my ($a, $b) = @_;

    return { map { $_ => add($a->{$_}, $b->{$_}) } keys %$a }
        if ref $a eq 'HASH';
    return [ map { add($a->[$_], $b->[$_]) } 0 .. $#$a ]
        if ref $a eq 'ARRAY';

    return $a =~ /^\d+$/ ? $a + $b : $a;
}


sub zone_is_exact
{
    my $requests = Ux::wait_until(sub {
        my $n = $t->stats('/zones/shop')->{experiments}{checkout_layout}
            {variants};
        return $n->{control}{http}{requests} + $n->{one_page}{http}{requests}
            == @rows;
    });
    my $zone = $t->stats('/zones/shop');
    my $events = $expected_all->{events};

    ok($requests, 'requests of both variants add up to those sent');
    is($zone->{http}{requests}, scalar @rows, 'requests of the zone');
    is_deeply([ @{ $zone->{http}{status} }{qw(2xx 3xx 4xx 5xx)} ],
        [ @rows - $events->{cart}, $events->{cart}, 0, 0 ], 'their status');
    is_deeply($zone->{events}, { view_item => $events->{view},
        add_to_cart => $events->{cart}, purchase => $events->{purchase},
        map { $_ => $zone->{events}{$_} } grep { !$zone->{events}{$_} }
        keys %{ $zone->{events} } }, 'events of the zone');
    is($zone->{purchases_without_id}, $events->{purchase},
        'purchases without an id');
    is($zone->{visitors}{tracked}, $expected_all->{visitors},
        'visitors tracked');
    is_deeply([ @{ $zone->{visitors} }{qw(provisional evicted expired
        contended_drop)} ], [ 0, 0, 0, 0 ], 'none lost');
    is_deeply([ grep { $zone->{discarded}{$_} } sort
        keys %{ $zone->{discarded} } ], [], 'nothing discarded');

    return;
}
