#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# One person under several names: a shopper who logs in on the way, a key that
# becomes another name of a cookie's visitor, one that has a past of its own,
# visitors seen in two variants, those whose record had to go; and those who
# are no persons: the crawlers of a real log.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256_hex /;
use Test::More;
use Time::Local qw/ timegm /;
use UxClock;
use UxCount;
use UxTest;


my $KEY = 'a signing key of this test';
my @PAGE = ('Sec-Fetch-Dest' => 'document', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/html');

my $last_id = 0;
my $clock = UxClock->new;
my $t;

shoppers_log_in_and_pay();
a_new_key_is_another_name();
a_name_lives_as_long_as_its_visitor();
a_key_without_an_assignment_joins();
a_key_with_a_past_wins();
crossovers_are_taken_out();
crossovers_cost_trust();
evicted_ones_come_back();
crawlers_are_served();

done_testing();


# An nginx that signs with $KEY, started, in $t.
sub start
{
    my ($conf, %option) = @_;

    $t = Ux::nginx(conf => "ux_secret %%DIR%%/keys;\n$conf", %option);
    Ux::_write($t->dir . '/keys', "$KEY\n");
    chmod 0600, $t->dir . '/keys';

    return $t->start;
}


# The value of a cookie minted so many days ago, and its id; before the
# experiments began unless said otherwise, or it would be a lost one.
sub cookie
{
    my ($days) = @_;

    my $id = sprintf '%032x', 0xdef000 + ++$last_id;
    my $day = int(($clock ? $clock->now : time) / 86400)
        - (defined $days ? $days : 3);
    my $value = "1.$id.$day";

    return ("$value." . substr(hmac_sha256_hex($value, $KEY), 0, 32), $id);
}


sub zone { return $t->stats('/zones/shop') }
sub layout { return $t->stats('/zones/shop/experiments/layout') }
sub told { return (split / /, $_[0]->header('X-Layout'))[0] }
sub why  { return (split / /, $_[0]->header('X-Layout'))[1] }


# Numbers of both variants, and together: what is once a visitor in `people`,
# what stays when one is taken out in `happened`.
sub numbers
{
    my %numbers = (people => {}, happened => {});

    my $layout = layout();
    for my $name (sort keys %{ $layout->{variants} }) {
        my $v = $layout->{variants}{$name};
        my $funnel = $v->{funnels}{checkout};
        my %carts = %{ $funnel->{carts} };

        $numbers{people}{$name} = {
            visitors => $v->{visitors},
            ratios($v->{metrics}, 'visitors', 'sum', 'mean', 'rate',
                'variance'),
            (map { my $s = $_; map { ("$s->{event} $_" => $s->{$_}) }
                qw(visitors visitors_before_exposure visitors_in_order) }
                @{ $funnel->{steps} }),
            (map { ("carts $_" => $carts{$_}) }
                grep { !ref $carts{$_} } keys %carts),
            (map { ("after $_" => $carts{abandoned_after}{$_}) }
                keys %{ $carts{abandoned_after} }),
        };
        $numbers{happened}{$name} = {
            ratios($v->{metrics}, 'events'),
            map { ("$_->{event} events" => $_->{events}) }
                @{ $funnel->{steps} },
        };
    }

    return \%numbers;
}


sub ratios
{
    my ($metrics, @fields) = @_;

    return map { my $m = $_; map { ("$m $_" => $metrics->{$m}{$_}) }
        grep { exists $metrics->{$m}{$_} } @fields } keys %$metrics;
}


sub sum
{
    my ($group, $field) = @_;

    my $sum = 0;
    $sum += $_->{$field} || 0 for values %$group;

    return $sum;
}


# A shop that knows who is logged in by a cookie of its own.
sub shop
{
    return <<'CONF';
ux_zone shop 8m;
ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}
ux_experiment banner { variant off 1; variant on 1; }
ux_funnel checkout {
    step add_to_cart;
    step begin_checkout;
    step purchase;
    cart add_to_cart within=60m;
}
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $cookie_login;
    add_header X-Visitor $ux_visitor always;
    add_header X-Layout "$ux_variant_layout $ux_reason_layout" always;
    add_header X-Banner $ux_variant_banner always;

    location / { return 200 "shelf"; }
    location /style { return 200 "asset"; }
    location = /cart/add { ux_event add_to_cart; return 302 /cart; }

    location /checkout {
        ux_expose layout;
        location = /checkout/begin {
            ux_event begin_checkout;
            return 200 "form";
        }
        location = /checkout/login {
            add_header Set-Cookie "login=$arg_who; Path=/" always;
            add_header X-Visitor $ux_visitor always;
            add_header X-Layout "$ux_variant_layout $ux_reason_layout" always;
            return 303 /checkout/begin;
        }
        location = /checkout/pay { return 303 https://bank.example/; }
        location = /checkout/return { return 303 /checkout/thanks; }
        location = /checkout/thanks {
            ux_event purchase value=$arg_value id=$arg_id;
            return 200 "thanks";
        }
    }

    location /late { ux_expose banner; return 200 "banner"; }
    location /uxstats { ux_stats; }
}
CONF
}


sub shoppers_log_in_and_pay
{
    start(shop(), workers => 2);

    my $n = 24;
    my (@changed, @other, @given);
    my %told;

    for my $i (1 .. $n) {
        my $browser = $t->browser;
        my (@told, @ids);
        my $see = sub {
            my ($page) = @_;
            push @told, told($page);
            push @ids, $page->header('X-Visitor');
            return $page;
        };

        $browser->go('/');
        $browser->post('/cart/add', 'sku=1');
        $browser->go('/cart');
        $browser->asset('/style');
        $see->($browser->go('/checkout'));
        $see->($browser->go('/checkout/begin'));
        $see->($browser->post("/checkout/login?who=shopper$i", 'password=x'));
        $see->($browser->go('/checkout/begin'));
        $see->($browser->post('/checkout/pay', 'card=x'));

        # the bank sends the browser back: no SameSite=Lax cookie on a POST

        my $back = $browser->post('/checkout/return', 'paid=1',
            Cookie => undef, Origin => 'https://bank.example',
            'Sec-Fetch-Site' => 'cross-site');
        push @given, $back->headers('Set-Cookie');
        $see->($browser->go("/checkout/thanks?value=20.50&id=o-$i",
            'Sec-Fetch-Site' => 'cross-site'));
        $see->($browser->go("/checkout/thanks?value=20.50&id=o-$i"));

        push @changed, "@told" if grep { $_ ne $told[0] } @told;
        push @other, "@ids" if grep { $_ ne $ids[0] } @ids;
        $told{$told[0]}++;
    }

    is("@changed", '', 'a shopper sees one variant, logged in or not');
    is("@other", '', 'a shopper is one visitor, logged in or not');
    is("@given", '', 'the return from the bank gives no other cookie');
    is(join(' ', sort keys %told), 'control one_page',
        'shoppers see both variants');

    my $zone = zone();
    my $people = numbers()->{people};
    my %expected = (visitors => $n, 'add_to_cart visitors' => 0,
        'add_to_cart visitors_before_exposure' => $n,
        'begin_checkout visitors' => $n,
        'begin_checkout visitors_in_order' => $n, 'purchase visitors' => $n,
        'purchase visitors_in_order' => $n, 'revenue sum' => 20.5 * $n,
        'carts created' => $n, 'carts carried_in' => $n,
        'carts purchased' => $n, 'carts open' => 0, 'carts abandoned' => 0,
        'carts purchases_without_cart' => 0);
    is_deeply({ map { ($_ => sum($people, $_)) } keys %expected },
        \%expected, 'each is one visitor with one cart carried in, bought');
    is_deeply({ map { ($_ => $people->{$_}{visitors}) } keys %told }, \%told,
        'in the variant that was seen');
    is($zone->{events}{purchase}, $n, 'one purchase each');
    is_deeply([ @{ $zone->{discarded} }{qw(duplicate cross_site)},
        $zone->{returned_after_eviction} ], [ $n, $n, 0 ],
        'what was discarded: the thank-you page again, the bank\'s POST');
    is_deeply([ @{ layout() }{qw(crossover_visitors moved_visitors)} ],
        [ 0, 0 ], 'no crossovers');
    is(sum(layout()->{variants}, 'assigned'), $n, 'each assigned once');
    $t->no_alerts;

    return;
}


sub with
{
    my ($cookie, $login) = @_;

    my @cookies = ($cookie ? "ux=$cookie" : (),
        $login ? "login=$login" : ());

    return (@PAGE, Cookie => join '; ', @cookies);
}


sub a_new_key_is_another_name
{
    start(shop());

    my (@ids, @logins, @wrong);
    for (1 .. 12) {
        my ($cookie, $id) = cookie();
        my $login = Ux::newcomer();
        push @ids, $id;
        push @logins, $login;

        $t->get('/cart/add', with($cookie));
        my $own = told($t->get('/checkout', with($cookie)));
        my $counted = numbers();

        for my $names ([ $cookie, $login ], [ $cookie, $login ],
            [ undef, $login ], [ $cookie, undef ])
        {
            my $page = $t->get('/checkout', with(@$names));
            push @wrong, join ' ', $page->header('X-Layout'),
                $page->header('X-Visitor')
                if $page->header('X-Layout') ne "$own cached"
                    || $page->header('X-Visitor') ne $id;
        }
        is_deeply(numbers(), $counted,
            'another name: counted once, by whichever name it comes');
    }
    is("@wrong", '', 'another name: variant and $ux_visitor are the first\'s');

    $t->get('/checkout/begin', with(undef, $logins[0]));
    $t->get('/checkout/thanks?value=5&id=a', with(undef, $logins[0]));
    my $people = numbers()->{people};
    is_deeply([ map { sum($people, $_) } 'visitors', 'purchase visitors',
        'purchase visitors_in_order', 'carts created', 'carts purchased' ],
        [ 12, 1, 1, 12, 1 ],
        'another name: steps and cart go on under it');
    $t->get('/checkout/thanks?value=5&id=a', with((cookie())[0]));
    $people = numbers()->{people};
    is_deeply([ sum($people, 'purchase visitors'),
        zone()->{discarded}{duplicate} ], [ 2, 0 ],
        'another name: a stranger\'s id is no duplicate');

    my %late = map { $logins[$_] => told_late($logins[$_]) } 0 .. $#logins;
    my $hashed = Ux::assign('banner:off=1,on=1', \@ids);
    is_deeply(\%late, { map { $logins[$_] => $hashed->{$ids[$_]} }
        0 .. $#ids }, 'another name: later experiments hash the first key');
    is($t->get('/late', with(undef, $logins[3]))->header('X-Visitor'),
        $ids[3], 'another name: $ux_visitor shows the first key there, too');

    my ($cookie, $id) = cookie();
    $t->get('/', with($cookie, $logins[5]));
    is($t->get('/checkout', with($cookie, $logins[5]))->header('X-Visitor'),
        $ids[5], 'another name: stays that of the first cookie');
    is(layout()->{crossover_visitors}, 0,
        'another name: a cookie that saw nothing is no crossover');

    my $new = Ux::newcomer();
    my ($fresh) = cookie();
    my $page = $t->get('/checkout', with("$fresh.x", $new));
    is($page->header('X-Visitor'), $new,
        'a bad cookie is joined to nothing');
    $t->no_alerts;

    return;
}


sub told_late
{
    my ($login) = @_;

    return $t->get('/late', with(undef, $login))->header('X-Banner');
}


sub a_name_lives_as_long_as_its_visitor
{
    SKIP: {
        skip 'no compiler to make a clock', 3 unless $clock;

        start(shop() =~ s/ux_zone shop 8m/$& inactive=8d/r);

        my ($cookie, $id) = cookie();
        my $login = Ux::newcomer();
        my ($quiet, $silent) = cookie();
        my $other = Ux::newcomer();

        $t->get('/checkout', with($cookie, $login));
        $t->get('/checkout', with($quiet, $other));

        # the cookie's visits are the name's as well, and the other way round

        for (1 .. 4) {
            $clock->forward(5 * 86400);
            $t->get('/checkout', with(undef, $login));
        }
        is($t->get('/checkout', with(undef, $login))->header('X-Visitor'),
            $id, 'a name in use lives on, and so does its visitor');
        is(why($t->get('/checkout', with(undef, $login))), 'cached',
            'the record, too');
        is($t->get('/checkout', with(undef, $other))->header('X-Visitor'),
            $other, 'one not used for longer than inactive is forgotten');
        $t->no_alerts;
    }

    return;
}


# Known by what it did, never shown a variant: nothing that could win.
sub a_key_without_an_assignment_joins
{
    start(shop());

    my ($cookie, $id) = cookie();
    my $login = Ux::newcomer();

    $t->get('/cart/add', with(undef, $login));
    my $own = told($t->get('/checkout', with($cookie)));
    is(sum(numbers()->{people}, 'carts created'), 0,
        'a key with a cart: not the cookie\'s yet');

    for my $names ([ $cookie, $login ], [ undef, $login ], [ $cookie ]) {
        my $page = $t->get('/checkout', with(@$names));
        is_deeply([ map { scalar $page->header($_) } 'X-Visitor',
            'X-Layout' ], [ $id, "$own cached" ],
            'a key without an assignment becomes another name');
    }

    # the other way round: joined on the way to the first exposure

    my ($second, $second_id) = cookie();
    my $other = Ux::newcomer();
    $t->get('/cart/add', with(undef, $other));
    my $page = $t->get('/checkout/begin', with($second, $other));
    is($page->header('X-Visitor'), $second_id,
        'a key with a cart, joined at the exposure: another name');
    $t->get('/checkout/thanks?value=4&id=b', with($second));

    my $people = numbers()->{people};
    is_deeply([ map { sum($people, $_) } 'visitors', 'carts created',
        'carts carried_in', 'carts purchased',
        'add_to_cart visitors_before_exposure',
        'purchase visitors_in_order' ], [ 2, 1, 1, 1, 1, 1 ],
        'a key with a cart, joined at the exposure: the cart is carried in'
        . ' and bought');
    is_deeply([ @{ layout() }{qw(crossover_visitors moved_visitors)} ],
        [ 0, 0 ], 'a key without an assignment: no crossover');
    is(sum(layout()->{variants}, 'assigned'), 2,
        'a key without an assignment: counted once');
    $t->no_alerts;

    return;
}


# A cookie's visitor and a key's, both exposed, whose variants are equal or
# not.
sub pair
{
    my ($equal) = @_;

    while (1) {
        my ($cookie, $id) = cookie();
        my $login = Ux::newcomer();
        my $hash = Ux::assign('layout:control=50,one_page=50',
            [ $id, $login ]);
        return ($cookie, $id, $login, @$hash{$id, $login})
            if ($hash->{$id} eq $hash->{$login}) == !!$equal;
    }
}


sub a_key_with_a_past_wins
{
    start(shop());

    my ($cookie, $id, $login, $variant) = pair(1);
    $t->get('/checkout', with($cookie));
    $t->get('/checkout', with(undef, $login));
    my $before = numbers();

    my $page = $t->get('/checkout', with($cookie, $login));
    is_deeply([ map { scalar $page->header($_) } 'X-Visitor', 'X-Layout' ],
        [ $login, "$variant cached" ],
        'a key with an assignment, same variant: the key wins');
    is_deeply(numbers(), $before, 'same variant: both stay counted');
    is(layout()->{crossover_visitors}, 0, 'same variant: no crossover');

    ($cookie, $id, $login, my ($seen, $own)) = pair(0);
    is(told($t->get('/checkout', with($cookie))), $seen,
        'other variant: by the cookie');
    is(told($t->get('/checkout', with(undef, $login))), $own,
        'other variant: by the key');
    $page = $t->get('/checkout', with($cookie, $login));
    is_deeply([ map { scalar $page->header($_) } 'X-Visitor', 'X-Layout' ],
        [ $login, "$own cached" ], 'other variant: the key wins');
    is_deeply(numbers(), $before, 'other variant: both are taken out');
    is(layout()->{crossover_visitors}, 1,
        'other variant: the cookie\'s visitor is a crossover, one');
    is($t->get('/checkout', with($cookie))->header('X-Layout'),
        "$seen cached", 'other variant: the cookie alone keeps its own');

    for (1 .. 3) {
        $t->get('/checkout', with($cookie, $login));
        $t->get('/checkout', with(undef, $login));
        $t->get('/checkout', with($cookie));
    }
    is_deeply(numbers(), $before, 'other variant: nobody is counted again');
    is(layout()->{crossover_visitors}, 1, 'other variant: nor the crossover');

    # an experiment that only one of them was in

    ($cookie, $id, $login, $seen, $own) = pair(0);
    $t->get('/checkout', with($cookie));
    $t->get('/late', with(undef, $login));
    $before = numbers();
    $page = $t->get('/late', with($cookie, $login));
    is($page->header('X-Visitor'), $login,
        'other experiments: the key wins all the same');
    is_deeply(numbers(), $before, 'other experiments: nobody crosses over');
    $t->no_alerts;

    return;
}


sub crossovers_are_taken_out
{
    start(shop());

    # others, whose numbers must not move

    for my $n (1 .. 12) {
        my ($cookie) = cookie();
        $t->get('/cart/add', with($cookie)) if $n % 2;
        $t->get('/checkout/begin', with($cookie));
        $t->get('/cart/add', with($cookie));
        $t->get("/checkout/thanks?value=$n.25&id=n$n", with($cookie))
            if $n % 3 == 0;
    }

    my $before = numbers();
    my $zone = zone();
    my ($cookie, $id, $login, $seen, $own) = pair(0);

    # all that can be counted: a cart carried in and one opened later, bought,
    # one left open, steps in and out of order, money in and out

    for my $name ([ $cookie ], [ undef, $login ]) {
        $t->get('/cart/add', with(@$name));
        $t->get('/checkout/begin', with(@$name));
        $t->get('/checkout/thanks?value=30&id=1', with(@$name));
        $t->get('/checkout/thanks?value=7.77', with(@$name));
        $t->get('/cart/add', with(@$name));
        $t->get('/checkout/thanks?value=1&id=3', with(@$name));
        $t->get('/cart/add', with(@$name));
    }
    my $with = numbers();
    my $http = layout()->{variants};

    is(sum($with->{people}, 'visitors'), 14, 'crossover: counted first');
    cmp_ok(sum($with->{people}, 'carts created'), '>',
        sum($before->{people}, 'carts created') + 3,
        'crossover: with carts');

    $t->get('/style', with($cookie, $login));
    is_deeply(numbers()->{people}, $with->{people},
        'crossover: an asset does not join');

    $t->get('/checkout', with($cookie, $login));
    my $after = numbers();
    for my $name (sort keys %{ $before->{people} }) {
        is_deeply($after->{people}{$name}, $before->{people}{$name},
            "crossover, $name: visitors, rates, steps, money and carts are"
            . ' those of before');
    }
    is_deeply($after->{happened}, $with->{happened},
        'crossover: events stay counted');
    Ux::wait_until(sub { sum_requests() == 2 + sum_of_requests($http) });
    cmp_ok(sum_requests(), '>=', sum_of_requests($http),
        'crossover: requests stay counted');
    is(layout()->{crossover_visitors}, 1, 'crossover: it is one');

    $t->get('/checkout/thanks?value=99&id=9', with(undef, $login));
    $t->get('/cart/add', with($cookie));
    is_deeply(numbers()->{people}, $before->{people},
        'crossover: what it does later is not in any rate');
    is(zone()->{events}{purchase}, $zone->{events}{purchase} + 7,
        'crossover: but in the zone\'s events');
    is(layout()->{crossover_visitors}, 1, 'crossover: and is still one');
    $t->no_alerts;

    return;
}


sub sum_requests { return sum_of_requests(layout()->{variants}) }


sub sum_of_requests
{
    my ($variants) = @_;

    my $sum = 0;
    $sum += $_->{http}{requests} for values %$variants;

    return $sum;
}


sub crossovers_cost_trust
{
    start(shop());

    $t->get('/checkout', with(undef, Ux::newcomer())) for 1 .. 99;

    for my $n (1, 2) {
        my ($cookie, $id, $login) = pair(0);
        $t->get('/checkout', with($cookie));
        $t->get('/checkout', with(undef, $login));
        $t->get('/checkout', with($cookie, $login));

        my $layout = layout();
        is($layout->{crossover_visitors}, $n, "trust: crossovers, $n");
        is($layout->{verdict}, $n == 1 ? 'collecting' : 'untrusted',
            "trust: $n of " . (99 + $n)
            . ($n == 1 ? ' is not above 1 %' : ' is above 1 %'));
        is_deeply([ map { $_->{code} } @{ $layout->{problems} } ],
            $n == 1 ? [] : [ 'crossover' ], "trust: problems, $n");
    }
    is($t->stats('/zones/shop/experiments/banner/verdict'), 'collecting',
        'trust: that of the other experiment is not lost');
    $t->no_alerts;

    return;
}


# More visitors than there is room for; the quiet ones go.
sub evicted_ones_come_back
{
    start(shop() =~ s/ux_zone shop 8m/ux_zone shop 1m/r);

    my $zone = zone();
    my $capacity = $zone->{visitors}{capacity};
    my @cookies = map { [ cookie(0) ] } 1 .. 300;
    my $connection = $t->connection;
    my $ask = sub {
        return $connection->request('GET', '/checkout', [ with(@_) ]) };

    my %told = map { $_->[1] => told($ask->($_->[0])) } @cookies;
    is(zone()->{returned_after_eviction}, 0,
        'where nobody was evicted nobody has come back from there');
    is(sum(layout()->{variants}, 'visitors'), 300, 'all are counted');

    # away for longer than those who come now

    $clock->forward(5) if $clock;
    my $flood = 0;
    my $deadline = time + 15;
    while (zone()->{visitors}{evicted} < 2 * $capacity / 3
        && $flood < 4 * $capacity && time < $deadline)
    {
        $ask->(undef, Ux::newcomer()) for 1 .. 1000;
        $flood += 1000;
    }
    $zone = zone();
    cmp_ok($zone->{visitors}{evicted}, '>', 300,
        "a flood of $flood visitors into room for $capacity drives some out");
    is(sum(layout()->{variants}, 'visitors'), 300 + $flood,
        'what those had counted stays');
    is($zone->{visitors}{tracked} + $zone->{visitors}{evicted}
        + $zone->{visitors}{expired}, 300 + $flood,
        'each has a record, or had one');

    my ($gone, @same, @other) = (0);
    for my $visitor (@cookies) {
        my $page = $ask->($visitor->[0]);
        next if why($page) eq 'cached';
        $gone++;
        push @other, $visitor->[1] if told($page) ne $told{$visitor->[1]};
    }
    cmp_ok($gone, '>', 100, 'many who come back have lost their record');
    is("@other", '', 'they are given the variant they had');
    is(zone()->{returned_after_eviction}, $gone,
        'each is counted as returned after eviction');
    is(sum(layout()->{variants}, 'visitors'), 300 + $flood + $gone,
        'and anew as a visitor');

    $ask->($_->[0]) for @cookies[0 .. 9];
    cmp_ok(zone()->{returned_after_eviction}, '<=', $gone + 10,
        'not at every request');

    # of the day before, whether or not there was a midnight since
    my $returned = zone()->{returned_after_eviction};
    my @began = layout()->{started_at} =~ /^(\d+)-(\d+)-(\d+)T/;
    my $days = int(($clock ? $clock->now : time) / 86400)
        - timegm(0, 0, 0, $began[2], $began[1] - 1, $began[0]) / 86400;
    $ask->((cookie($days + 1))[0]) for 1 .. 20;
    is(zone()->{returned_after_eviction}, $returned,
        'a cookie from before the experiment began never had a record');

    my $layout = layout();
    is($layout->{verdict}, 'untrusted', 'above 1 % that is not trusted');
    is_deeply([ grep { $_ eq 'eviction' } map { $_->{code} }
        @{ $layout->{problems} } ], [ 'eviction' ], 'and the page says why');
    $t->no_alerts('evictions: no alerts');

    return;
}


# Requests of the log as { client, agent, method, target, line }.
sub read_log
{
    my ($path) = @_;

    my @requests;

    open my $in, '<', $path or die "cannot read $path: $!\n";
    while (my $line = <$in>) {
        my ($client, $request, $agent) = $line =~ m{
            ^(\S+) [^"]* "((?:[^"\\]|\\.)*)"\ \d{3}\ \d+
            \ "(?:[^"\\]|\\.)*"\ "((?:[^"\\]|\\.)*)" }x
            or die "not a line of a log: $line";
        my ($method, $target) = $request =~ m{^([A-Z]+) (\S+) HTTP};

        s/\\x([0-9A-F]{2})/chr hex $1/ge for $agent, $target;
        push @requests, { client => $client, method => $method,
            target => $target, agent => $agent eq '-' ? '' : $agent };
    }

    return @requests;
}


# Every line as a page of a shop that would like to count it.
sub crawlers_are_served
{
    my $path = Ux::data('zanbil_access_log/access-10k.redacted.log');

    if (!-r $path) {
        SKIP: { skip "no recorded traffic at $path", 1 }
        return;
    }

    my @lines = read_log($path);
    my $declared = qr/bot|crawl|spider|slurp|preview|Mediapartners|AdsBot
        |facebookexternal/xi;
    my @bots = grep { $_->{agent} =~ $declared } @lines;
    my @nameless = grep { $_->{agent} eq '' } @lines;
    my @people = grep { $_->{agent} =~ m{^Mozilla/5\.0\ \((?:Windows|X11
        |Macintosh|iPhone|iPad|Linux;\ (?:U;\ )?Android)}x
        && $_->{agent} !~ $declared
        && $_->{agent} !~ /google/i } @lines;      # its servers' fetches

    is(scalar @lines, 10000, 'the log: lines');
    is(scalar @bots, 3952, 'the log: declared bots, 40 %');
    is(scalar @nameless, 75, 'the log: lines without a User-Agent');

    start(<<'CONF', backends => {});
set_real_ip_from 127.0.0.1;
real_ip_header X-Client;
ux_zone shop 16m;
ux_experiment layout { variant control 50; variant one_page 50; }
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    add_header X-Visitor $ux_visitor always;
    add_header X-Layout "$ux_variant_layout $ux_reason_layout" always;
    location / {
        ux_expose layout;
        ux_event  view_item;
        return    200 "page of $ux_variant_layout";
    }
    location /style { return 200 "asset"; }
    location /uxstats { ux_stats; }
}
CONF
    my $zone = zone();

    my $seen = replay([ @bots, @nameless ]);
    my $n = @bots + @nameless;
    is_deeply([ @$seen{qw(failed cookies keys wavering)} ], [ 0, 0, 0, 0 ],
        'bots: all served, no cookie, no key, one variant for an address');
    is(join(' ', sort keys %{ $seen->{pages} }),
        'page of control page of one_page', 'bots: both pages are shown');

    # by address, not by request: a few crawlers make most of those, and all
    # of them see one variant in some runs

    my %people = %{ $seen->{people} };
    my $addresses = $people{control} + $people{one_page};
    cmp_ok($people{$_}, '>', $addresses / 4,
        "bots: $_ to many of the $addresses addresses")
        for qw(control one_page);
    is_deeply($seen->{reasons}, { split => $n },
        'bots: assigned like anyone');

    my $after = zone();
    is_deeply($after->{discarded}, { %{ $zone->{discarded} }, bot => $n },
        "bots: $n requests, all of them under discarded.bot");
    is_deeply([ @{ $after->{visitors} }{qw(tracked provisional)},
        $after->{events}{view_item}, map { sum($after->{experiments}{layout}
            {variants}, $_) } qw(assigned visitors) ], [ 0, 0, 0, 0, 0 ],
        'bots: under nothing else');

    $seen = replay(\@people, 1);
    is_deeply([ @$seen{qw(failed wavering)} ], [ 0, 0 ],
        'people: all served, with one variant for each');
    $after = zone();
    is($after->{discarded}{bot}, $n,
        'people: ' . @people . ' requests, none of them under discarded.bot');
    my $heads = grep { $_->{method} eq 'HEAD' } @people;
    is($after->{discarded}{head}, $heads, 'people: their HEADs are');
    is(sum($after->{experiments}{layout}{variants}, 'assigned'),
        $seen->{cookies}, 'people: each cookie is one of the assigned');
    is($after->{events}{view_item}, @people - $heads, 'people: all events');
    $t->no_alerts('the log: no alerts');

    return;
}


# Sends each as a page; with cookies kept for each pair of client and agent
# or not.
sub replay
{
    my ($requests, $keeps) = @_;

    my $connection = $t->connection;
    my %seen = (failed => 0, cookies => 0, keys => 0, wavering => 0);
    my (%jar, %told);

    for my $request (@$requests) {
        my $who = $keeps ? "$request->{client} $request->{agent}"
            : $request->{client};
        my $response = $connection->request($request->{method},
            $request->{target}, [ 'X-Client' => $request->{client},
            'User-Agent' => $request->{agent}, Accept => 'text/html',
            $jar{$who} ? (Cookie => "ux=$jar{$who}") : () ],
            $request->{method} eq 'POST' ? '' : undef);

        if (!$response || $response->status != 200) {
            $seen{failed}++;
            next;
        }

        my ($variant, $reason) = split / /, $response->header('X-Layout');
        my $cookie = $response->set_cookie('ux');
        $seen{cookies}++ if $cookie;
        $seen{keys}++ if $response->header('X-Visitor');
        $seen{reasons}{$reason}++;
        $seen{pages}{$response->body}++ if $request->{method} ne 'HEAD';
        $jar{$who} = $cookie if $keeps && $cookie;
        next if $keeps && !$jar{$who};
        $seen{people}{$variant}++ if !defined $told{$who};
        $told{$who} = $variant unless defined $told{$who};
        $seen{wavering}++ if $told{$who} ne $variant;
    }

    return \%seen;
}
