#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# ux_collect: what a beacon's body does to the counts, of whom it speaks, and
# what is refused as a whole.  How bodies travel is in t/47-collect-http.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;


my @json = ('Content-Type' => 'application/json');

my $conf = <<'CONF';
ux_zone shop  8m;
ux_zone other 1m;

ux_experiment layout {
    variant control 1;
    variant b 1;
    goal purchase;
    metric revenue;
    metric nps;
    metric csat;
    metric ces;
}

ux_experiment elsewhere zone=other { variant control 1; variant b 1;
    metric read; }

ux_funnel buy {
    step add_to_cart;
    step add_payment_info;
    step purchase;
    cart add_to_cart;
}

ux_override $http_x_override;
ux_exclude  $http_x_staff;

server {
    listen 127.0.0.1:%%PORT%%;

    ux_expose layout;
    ux_debug  $http_x_debug;

    location / { return 200 page; }

    location = /beacon  { ux_collect; }
    location = /trusted { ux_collect trusted; }
    location = /other   { ux_collect zone=other; }

    location = /key {
        ux_visitor_key $http_x_user;
        ux_collect;
    }

    location /page { ux_visitor_key $http_x_user; return 200 page; }

    location = /consent {
        ux_consent $http_x_consent;
        ux_collect;
    }

    location = /if {
        if ($http_x_if) { set $dummy 1; }
        ux_collect;
    }

    # a variable that mints elsewhere
    location = /seen {
        if ($ux_visitor = nobody) { set $dummy 1; }
        ux_collect;
    }

    location = /moved { rewrite ^ /beacon last; }

    location /uxstats { ux_stats; }
}
CONF

my $t = Ux::nginx(conf => $conf)->start;
my $alice = confirmed();
my $bob = confirmed();

events_count();
values_are_amounts();
replayed();
out_of_order();
unknown_and_bad();
malformed();
who_it_is();
nobody_is_made();
not_to_be_counted();
trusted();
surveys();
vitals();
no_requests_are_counted();

$t->no_alerts;

configuration();

done_testing();


# A visitor whose cookie has come back; (cookie header, id).
sub confirmed
{
    my $browser = $t->browser;

    $browser->go('/');
    $browser->go('/');

    my $cookie = $browser->cookie('ux');

    return { headers => [ Cookie => "ux=$cookie" ],
        id => (split /\./, $cookie)[1] };
}


# To /beacon, or where "At" says, of a visitor or of nobody.
sub beacon
{
    my ($visitor, $body, @headers) = @_;

    my %header = @headers;
    my $path = delete $header{At} || '/beacon';

    return $t->post($path, $body, @json,
        $visitor ? @{ $visitor->{headers} } : (), %header);
}


# What it changes, and that it is answered so.
sub counts
{
    my ($name, $status, $expected, @beacon) = @_;

    my $response;

    is($t->changes(sub { $response = beacon(@beacon) }), $expected,
        "$name: what is counted");
    is($response ? $response->status : 'none', $status, "$name: answered");

    return $response;
}


sub events_count
{
    my $response = counts('an event', 204, 'events.view_item 1', $alice,
        '{"event":"view_item"}');

    is($response->header('Cache-Control'), 'no-store', 'stored nowhere');
    is($response->header('Set-Cookie'), undef, 'no cookie with it');
    unlike($response->head, qr/Access-Control/, 'no word to other origins');

    counts('an array', 204, 'events.add_to_cart 1, events.view_item 2',
        $alice, '[{"event":"view_item"},{"event":"add_to_cart"},'
        . '{"event":"view_item"}]');
    counts('an array of none', 204, '', $alice, '[]');
    counts('as many as may be', 204, 'events.view_item 31', $alice,
        '[' . join(',', ('{"event":"view_item"}') x 31) . ']');
    counts('in an "if" of the location', 204, 'events.view_item 1', $alice,
        '{"event":"view_item"}', At => '/if', 'X-If' => 1);
    counts('reached by a rewrite', 204, 'events.view_item 1', $alice,
        '{"event":"view_item"}', At => '/moved');
    counts('zone= is where it counts, and nobody knows her there', 204,
        'other.discarded.not_exposed 1', $alice, '{"event":"read"}',
        At => '/other');
    like($t->post('/beacon', '[{"event":"view_item"},{"event":"no"}]', @json,
        @{ $alice->{headers} }, 'X-Debug' => 1)->header('X-UX-Debug'),
        qr/events=view_item; not=unknown_event/, 'ux_debug says so');

    # clocks of clients
    my @times = (-1, 0, 1, 4102444800, 253402300800000, 1.5, '"1970-01-01"');

    is($t->changes(sub {
        beacon($alice, qq({"event":"view_item","timestamp":$_,"time":$_,)
            . qq("ts":$_,"date":$_})) for @times;
    }), 'events.view_item ' . @times, "a client's clock: as without it");

    return;
}


sub revenue
{
    my $sum = 0;

    $sum += $_->{metrics}{revenue}{sum} for values
        %{ $t->stats('/zones/shop/experiments/layout')->{variants} };

    return sprintf '%.2f', $sum;
}


sub values_are_amounts
{
    my @values = (
        [ '12.5'      => '12.50' ], [ '0'          => '0.00' ],
        [ '-0'        => '0.00' ],  [ '1e1'        => '10.00' ],
        [ '0.125e2'   => '12.50' ], [ '1e-308'     => '0.00' ],
        [ '0.005'     => '0.01' ],  [ '"12.5"'     => '12.50' ],
        [ '1e-7'      => '0.00' ],  [ '90071992.01' => '90071992.01' ],
    );

    for my $value (@values) {
        my $before = revenue();

        counts("value $value->[0]", 204, 'events.purchase 1, '
            . 'purchases_without_id 1', $alice,
            qq({"event":"purchase","value":$value->[0]}));
        is(sprintf('%.2f', revenue() - $before), $value->[1],
            "value $value->[0]: in minor units");
    }

    my $before = revenue();

    counts("value $_", 204, 'discarded.bad_event 1', $alice,
        qq({"event":"purchase","value":$_})) for '-1', '1e308', '1e11', 'null',
        'true', '[]', '{}', '"x"', '""', '12345678901234567890', '-1e-1',
        '"1e2"', '10000000000.01';
    is(revenue(), $before, 'values that are none: no money');

    counts('another currency', 204, 'events.purchase 1, '
        . 'purchases_without_id 1', $alice,
        '{"event":"purchase","value":5,"currency":"USD"}');
    is(revenue(), $before, 'another currency: is not added in');
    counts('a currency that is none', 204, 'discarded.bad_event 1', $alice,
        qq({"event":"purchase","value":5,"currency":$_}))
        for '"eur"', '"XXXX"', '5', '[]';

    return;
}


sub replayed
{
    my $carol = confirmed();
    my $body = '{"event":"purchase","value":7,"id":"o-7"}';

    counts('an id', 204, 'events.purchase 1', $carol, $body);
    counts('again', 204, 'discarded.duplicate 1', $carol, $body);
    counts('three times in one body', 204, 'discarded.duplicate 3', $carol,
        "[$body,$body,$body]");
    counts('its number', 204, 'events.purchase 1', $carol,
        '{"event":"purchase","value":7,"id":1007}');
    counts('its number in quotes', 204, 'discarded.duplicate 1', $carol,
        '{"event":"purchase","value":7,"id":"1007"}');
    counts("somebody else's", 204, 'events.purchase 1', $bob, $body);

    my $connection = $t->connection;
    my $before = revenue();

    is($t->changes(sub {
        $connection->request('POST', '/beacon', [ @json,
            @{ $carol->{headers} } ], $body) for 1 .. 1000;
    }), 'discarded.duplicate 1000', 'replayed 1000 times: none counts');
    is(revenue(), $before, 'replayed 1000 times: no money');

    return;
}


sub steps
{
    my $variants = $t->stats('/zones/shop/experiments/layout')->{variants};
    my %sum;

    for my $variant (values %$variants) {
        for my $step (@{ $variant->{funnels}{buy}{steps} }) {
            $sum{"$step->{event}.$_"} += $step->{$_}
                for 'visitors', 'visitors_in_order';
        }
        $sum{visitors} += $variant->{metrics}{purchase}{visitors};
    }

    return \%sum;
}


# Paid before there was anything to pay, everything at once, over and over.
sub out_of_order
{
    my $dave = confirmed();
    my $before = steps();
    my $body = '[{"event":"purchase","value":1},'
        . '{"event":"add_payment_info"},{"event":"add_to_cart"}]';
    my $connection = $t->connection;

    $connection->request('POST', '/beacon', [ @json, @{ $dave->{headers} } ],
        $body) for 1 .. 50;

    my $after = steps();
    my %changed = map { $_ => $after->{$_} - $before->{$_} } keys %$after;

    is($changed{"$_.visitors"}, 1, "50 times: $_ has one visitor more")
        for 'purchase', 'add_payment_info', 'add_to_cart';
    is($changed{visitors}, 1, '50 times: one conversion');

    my $erin = confirmed();

    $before = steps();
    $t->post('/beacon', '[{"event":"purchase"},{"event":"add_payment_info"}]',
        @json, @{ $erin->{headers} });
    $after = steps();
    is($after->{'purchase.visitors'} - $before->{'purchase.visitors'}, 1,
        'out of order: counted');
    is($after->{"$_.visitors_in_order"}, $before->{"$_.visitors_in_order"},
        "out of order: $_ is not in order")
        for 'purchase', 'add_payment_info';

    return;
}


sub unknown_and_bad
{
    counts('an event nobody knows', 204, 'discarded.unknown_event 1', $alice,
        $_) for '{"event":"nosuch"}', '{"event":null}', '{"event":["a"]}',
        '{"event":5}', '{"event":"Purchase"}', '{"event":""}',
        '{"event":"' . 'x' x 1024 . '"}', '{"event":"purchase "}',
        '{"event":true}';
    counts('each of them', 204, 'discarded.bad_event 2, '
        . 'discarded.unknown_event 3, events.view_item 2', $alice,
        '[{"event":"nosuch"},{"event":"view_item"},{"event":"no"},'
        . '{"event":"purchase","value":-1},{"event":"view_item"},'
        . '{"event":"no"},{"event":"nosuch","id":[]}]');
    counts('a refund without a value', 204, 'discarded.bad_event 1', $alice,
        '{"event":"refund"}');

    return;
}


# Everything in the zone that the clock alone does not change.
sub whole
{
    my %leaf;
    my @nodes = ([ '', $t->stats('/zones') ]);

    while (my $node = shift @nodes) {
        my ($path, $value) = @$node;
        next if $path =~ /seconds$|_at$|_ms$/;
        push @nodes, map { [ "$path/$_", $value->{$_} ] } keys %$value
            if ref $value eq 'HASH';
        push @nodes, map { [ "$path/$_", $value->[$_] ] } 0 .. $#$value
            if ref $value eq 'ARRAY';
        $leaf{$path} = defined $value ? "$value" : 'null' if !ref $value;
    }

    return \%leaf;
}


# Refused as a whole, one line of text, and nothing else moves.
sub malformed
{
    my $ok = '{"event":"purchase","value":9}';
    my @bodies = (
        [ 'nothing'           => '' ],
        [ 'one byte'          => '{' ],
        [ 'no JSON'           => 'event=purchase' ],
        [ 'a string'          => '"purchase"' ],
        [ 'a number'          => '1' ],
        [ 'an array of them'  => '[1,2,3]' ],
        [ 'no event'          => '{"value":9}' ],
        [ 'no event in one'   => "[$ok,{}]" ],
        [ 'duplicate keys'    => '{"event":"purchase","event":"refund"}' ],
        [ 'twice the value'   => "[$ok,"
            . '{"event":"purchase","value":1,"value":2}]' ],
        [ 'the case of a key' => '{"EVENT":"purchase"}' ],
        [ 'infinity'          => "[$ok," . '{"event":"purchase",'
            . '"value":1e999}]' ],
        [ '400 digits'        => '{"event":"purchase","value":'
            . '9' x 400 . '}' ],
        [ 'a leading zero'    => '{"event":"purchase","value":01}' ],
        [ 'a bare point'      => '{"event":"purchase","value":1.}' ],
        [ 'a plus'            => '{"event":"purchase","value":+1}' ],
        [ 'NaN'               => '{"event":"purchase","value":NaN}' ],
        [ 'a byte-order mark' => "\xef\xbb\xbf$ok" ],
        [ 'a control byte'    => qq({"event":"purchase","id":"a\x01"}) ],
        [ 'a line end'        => qq({"event":"purchase","id":"a\n"}) ],
        [ 'no UTF-8'          => qq({"event":"purchase","id":"\xff"}) ],
        [ 'overlong UTF-8'    => qq({"event":"purchase","id":"\xc0\xaf"}) ],
        [ 'U+0000'            => '{"event":"purchase\u0000x"}' ],
        [ 'U+0000 elsewhere'  => '{"event":"purchase","x":["\u0000"]}' ],
        [ 'half a character'  => '{"event":"purchase","id":"\ud800"}' ],
        [ 'trailing garbage'  => "$ok x" ],
        [ 'a second document' => "$ok$ok" ],
        [ 'a NUL behind'      => "$ok\0" ],
        [ 'no end'            => substr "[$ok,$ok,", 0, -1 ],
        [ 'a comma too many'  => "[$ok,]" ],
        [ 'a comment'         => "/* */$ok" ],
        [ 'single quotes'     => "{'event':'purchase'}" ],
        [ '1000 levels'       => '[' x 1000 . ']' x 1000 ],
        [ '1001 levels'       => '[' x 1001 . ']' x 1001 ],
        [ '33 levels passed over' => '{"event":"purchase","x":' . '[' x 32
            . ']' x 32 . '}' ],
        [ '9 levels'          => '{"event":"purchase","value":' . '[' x 8
            . ']' x 8 . '}' ],
        [ '16 kB of [1,1,...]' => '[' . '1,' x 8000 . '1]' ],
        [ '16 kB of them as a value' => '{"event":"purchase","value":['
            . '1,' x 8000 . '1]}' ],
        [ '32 events'         => '[' . "$ok," x 31 . "$ok]" ],
    );

    my $before = whole();
    my $refused = 0;

    for my $case (@bodies) {
        my ($name, $body) = @$case;
        my $response = counts("malformed: $name", 400,
            'discarded.bad_event 1', $alice, $body);

        $refused++;
        like($response->body, qr/^malformed beacon: [ -~]{5,100}\n\z/,
            "malformed: $name: one line says why");
        unlike($response->body, qr/purchase|refund/,
            "malformed: $name: and repeats nothing");
    }

    my $after = whole();

    is_deeply([ grep { $after->{$_} ne $before->{$_} } keys %$after ],
        [ '/shop/discarded/bad_event' ], 'malformed: nothing else moved');
    is($after->{'/shop/discarded/bad_event'}
        - $before->{'/shop/discarded/bad_event'}, $refused,
        'malformed: once each');

    counts('32 levels passed over', 204, 'events.view_item 1', $alice,
        '{"event":"view_item","x":' . '[' x 31 . ']' x 31 . '}');
    counts('16 kB passed over', 204, 'events.view_item 1', $alice,
        '{"event":"view_item","x":[' . '1,' x 8000 . '1]}');

    return;
}


sub who_it_is
{
    my $frank = confirmed();
    my $body = '{"event":"purchase","value":3,"id":"f-1","visitor":"'
        . $bob->{id} . '"}';

    counts("another visitor's id in the body", 204, 'events.purchase 1',
        $frank, $body);
    counts('it was the sender\'s own', 204, 'discarded.duplicate 1', $frank,
        '{"event":"purchase","id":"f-1"}');
    counts("and not the other's", 204, 'events.purchase 1', $bob,
        '{"event":"purchase","id":"f-1"}');

    counts('no cookie', 204, 'discarded.not_exposed 2', undef,
        '[{"event":"view_item"},{"event":"view_item"}]');
    counts('no cookie, a visitor in the body', 204,
        'discarded.not_exposed 1', undef, $body);
    counts('a forged cookie', 204, 'discarded.bad_cookie 1, '
        . 'discarded.not_exposed 1', undef, '{"event":"view_item"}',
        Cookie => "ux=1.$bob->{id}.20000." . '0' x 32);

    # ux_visitor_key of the location
    $t->navigate('/page', 'X-User' => 'key-1');
    counts('a key', 204, 'events.view_item 1', undef,
        '{"event":"view_item"}', At => '/key', 'X-User' => 'key-1');
    counts('a key nobody has seen', 204, 'discarded.not_exposed 1', undef,
        '{"event":"view_item"}', At => '/key', 'X-User' => 'key-2');

    # a beacon may be what brings the cookie back
    my $browser = $t->browser;

    $browser->go('/');
    counts('it confirms who was exposed before', 204,
        'events.view_item 1, visitors 1', undef,
        '{"event":"view_item"}', Cookie => 'ux=' . $browser->cookie('ux'));

    return;
}


sub nobody_is_made
{
    my $zone = $t->stats('/zones/shop')->{visitors};

    for my $headers (
        [ Accept => 'text/html' ],
        [ Accept => 'text/html', 'Sec-Fetch-Dest' => 'document' ],
        [ 'X-User' => 'key-3' ])
    {
        my $response = $t->post($headers->[0] eq 'X-User' ? '/key'
            : '/beacon', '{"event":"add_to_cart"}', @json, @$headers);
        is($response->status, 204, "@$headers: answered");
        is($response->header('Set-Cookie'), undef, "@$headers: no cookie");
    }

    is($t->post('/seen', '{"event":"add_to_cart"}', @json,
        Accept => 'text/html')->header('Set-Cookie'), undef,
        'asked for by a variable: no cookie');

    my $now = $t->stats('/zones/shop')->{visitors};

    is($now->{tracked} + $now->{provisional},
        $zone->{tracked} + $zone->{provisional}, 'no record is made');

    return;
}


sub not_to_be_counted
{
    my $two = '[{"event":"view_item"},{"event":"nosuch"}]';

    counts('staff', 204, 'discarded.excluded 2', $alice, $two,
        'X-Staff' => 1);
    counts('an override', 204, 'discarded.override 2', $alice, $two,
        'X-Override' => 'layout:b');
    counts('a prefetch', 204, 'discarded.prefetch 2', $alice, $two,
        'Sec-Purpose' => 'prefetch;prerender');
    counts('a bot', 204, 'discarded.bot 2', undef, $two,
        'User-Agent' => 'Googlebot/2.1');

    my $gina = confirmed();

    counts('no consent by Sec-GPC', 204, 'discarded.no_consent 2', $gina,
        $two, 'Sec-GPC' => 1);
    counts('forgotten by that', 204, 'discarded.not_exposed 1', $gina,
        '{"event":"view_item"}');

    my $hugo = confirmed();

    counts('consent', 204, 'events.view_item 1', $hugo,
        '{"event":"view_item"}', At => '/consent', 'X-Consent' => 1);

    my $response = counts('no consent', 204, 'discarded.no_consent 1', $hugo,
        '{"event":"view_item"}', At => '/consent');
    like($response->header('Set-Cookie'), qr/^ux=;|Max-Age=0/,
        'no consent: the cookie is taken back');

    return;
}


# From the shop's own server: a library's user agent, no cookie.
sub trusted
{
    my @server = (At => '/trusted', 'User-Agent' => 'python-requests/2.31');
    my $says = sub {
        my ($name, $expected, $body, @headers) = @_;
        return counts("trusted: $name", 204, $expected, undef, $body,
            @server, @headers);
    };
    my $iris = confirmed();
    my $jack = confirmed();
    my $before = revenue();

    $says->('a conversion', 'events.purchase 1',
        qq({"event":"purchase","value":20,"id":"t-1",)
            . qq("visitor":"$iris->{id}"}));
    $says->('a refund', 'events.refund 1',
        qq({"event":"refund","value":5,"id":"t-2","visitor":"$iris->{id}"}));
    is(sprintf('%.2f', revenue() - $before), '15.00', 'trusted: the money');
    $says->('the same again', 'discarded.duplicate 1',
        qq({"event":"purchase","value":20,"id":"t-1",)
            . qq("visitor":"$iris->{id}"}));
    counts('trusted: what the visitor tells herself later', 204,
        'discarded.duplicate 1', $iris,
        '{"event":"purchase","value":20,"id":"t-1"}');
    $says->('of several visitors', 'events.purchase 1, events.view_item 1, '
        . 'purchases_without_id 1',
        qq([{"event":"purchase","visitor":"$iris->{id}"},)
        . qq({"event":"view_item","visitor":"$jack->{id}"}]));
    $says->('unknown ones', 'discarded.not_exposed 4',
        '[{"event":"purchase","visitor":"' . 'f' x 32 . '"},'
        . '{"event":"purchase","visitor":"nobody"},'
        . '{"event":"purchase","visitor":""},'
        . '{"event":"purchase","visitor":null}]');
    $says->('bad and unknown events', 'discarded.bad_event 2, '
        . 'discarded.unknown_event 1',
        qq([{"event":"refund","visitor":"$iris->{id}"},)
        . qq({"event":"nosuch","visitor":"$iris->{id}"},)
        . '{"event":"purchase","visitor":[]}]');
    $says->('a key', 'events.view_item 1',
        '{"event":"view_item","visitor":"key-1"}');
    $says->('not named, and no cookie', 'discarded.bot 1',
        '{"event":"view_item"}');
    $says->('not named, by its cookie', 'events.view_item 1',
        '{"event":"view_item"}', @{ $iris->{headers} },
        'User-Agent' => $Ux::Connection::BROWSER);
    $says->('without consent of the sender', 'events.view_item 1',
        qq({"event":"view_item","visitor":"$iris->{id}"}), 'Sec-GPC' => 1);
    $says->('staff', 'discarded.excluded 1',
        qq({"event":"view_item","visitor":"$iris->{id}"}), 'X-Staff' => 1);
    $says->('an override', 'discarded.override 1',
        qq({"event":"view_item","visitor":"$iris->{id}"}),
        'X-Override' => 'layout:b');

    my $zone = $t->stats('/zones/shop')->{visitors};

    is($zone->{provisional}, 0, 'trusted: nobody is made');

    # a login that joined the cookie's visitor is another name of it
    $t->navigate('/page', @{ $jack->{headers} }, 'X-User' => 'jack');
    $says->('a login of somebody known by a cookie', 'events.purchase 1',
        '{"event":"purchase","id":"j-1","visitor":"jack"}');
    $says->('who is one and the same', 'discarded.duplicate 1',
        qq({"event":"purchase","id":"j-1","visitor":"$jack->{id}"}));

    # somebody whose cookie has not come back yet
    my $browser = $t->browser;
    $browser->go('/');
    my $id = (split /\./, $browser->cookie('ux'))[1];

    $says->('somebody unconfirmed', 'events.purchase 1',
        qq({"event":"purchase","value":4,"id":"u-1","visitor":"$id"}));
    $before = revenue();
    $browser->go('/');
    is(sprintf('%.2f', revenue() - $before), '4.00',
        'trusted: counted once the cookie is back');

    counts('trusted: two visitors in one event', 400,
        'discarded.bad_event 1', undef,
        '{"event":"purchase","visitor":"a","visitor":"b"}', @server);

    return;
}


sub surveys
{
    my %range = (nps => [ 0, 10 ], csat => [ 1, 5 ], ces => [ 1, 7 ]);

    for my $survey (sort keys %range) {
        my ($from, $to) = @{ $range{$survey} };

        counts("$survey of $_", 204, "events.$survey 1", confirmed(),
            qq({"event":"$survey","value":$_})) for $from, $to, "$to.0";
        counts("$survey of $_", 204, 'discarded.bad_event 1', $alice,
            qq({"event":"$survey","value":$_}))
            for $from - 1, $to + 1, "$from.5", '"x"', 'null';
        counts("$survey of nothing", 204, 'discarded.bad_event 1', $alice,
            qq({"event":"$survey"}));
    }

    return;
}


# As the library sends them; how they count is in t/36-vitals.t.
sub vitals
{
    my $lcp = '{"name":"LCP","value":1234.5,"rating":"good","delta":1234.5,'
        . '"entries":[{"name":"","entryType":"largest-contentful-paint",'
        . '"startTime":1234.5,"element":{}}],"id":"v4-1700000000000-123",'
        . '"navigationType":"navigate"}';

    counts('a metric of web-vitals', 204, '', $alice, $lcp);
    counts('all of them, one again, with an event', 204,
        'discarded.duplicate 1, events.view_item 1', $alice,
        "[$lcp," . join(',', map { qq({"name":"$_","value":0.1}) }
            'INP', 'CLS', 'FCP', 'TTFB') . ',{"event":"view_item"}]');
    counts('a metric without a value', 204, 'discarded.bad_event 1', $alice,
        '{"name":"LCP","value":null}');
    counts('below 0', 204, 'discarded.bad_event 1', $alice,
        '{"name":"CLS","value":-0.1}');
    counts('one that nobody knows', 204, 'discarded.unknown_event 1', $alice,
        '{"name":"FID","value":1}');
    counts('of nobody', 204, 'discarded.not_exposed 1', undef, $lcp);
    counts('from a bot', 204, 'discarded.bot 1', undef, $lcp,
        'User-Agent' => 'Googlebot/2.1');

    return;
}


sub no_requests_are_counted
{
    my $http = sub {
        my $zone = $t->stats('/zones/shop');
        my $variants = $zone->{experiments}{layout}{variants};
        return [ $zone->{http}, map { $variants->{$_}{http} }
            sort keys %$variants ];
    };
    my $before = $http->();

    beacon($alice, $_) for '{"event":"view_item"}', '[]', 'x';
    $t->get('/beacon', @{ $alice->{headers} });
    $t->post('/beacon', '{}', 'Content-Type' => 'text/html');
    is_deeply($http->(), $before, 'beacons are no requests of anybody');

    return;
}


sub configuration
{
    my $wrong = sub {
        my ($what, $lines, $pattern) = @_;
        my ($ok, $output) = $t->test_config($conf =~ s/(location \/uxstats)/
            $lines\n    $1/r);
        ok(!$ok, "configuration: $what: refused");
        like($output, $pattern, "configuration: $what: says why");
        my $line = $t->line_of(qr/ux_collect.*# here/);
        like($output, qr/:$line$/m, "configuration: $what: where")
            if defined $line;
        return;
    };

    $wrong->('beside proxy_pass', 'location /x { ux_collect; # here
        proxy_pass http://127.0.0.1:1; }', qr/beside "proxy_pass"/);
    $wrong->('behind proxy_pass', 'location /x {
        proxy_pass http://127.0.0.1:1;
        ux_collect; # here
        }', qr/a location of its own/);
    $wrong->('beside ux_stats', 'location /x { ux_collect; # here
        ux_stats; }', qr/beside "ux_stats"/);
    $wrong->('behind ux_stats', "location /x { ux_stats;\n"
        . "ux_collect; # here\n }", qr/a location of its own/);
    $wrong->('beside ux_event', 'location /x { ux_collect; # here
        ux_event purchase; }', qr/beside "ux_event"/);
    $wrong->('twice', 'location /x { ux_collect;
        ux_collect trusted; # here
        }', qr/is duplicate/);
    $wrong->('in a server', 'ux_collect; # here', qr/not allowed here/);
    $wrong->('in an "if"', 'location /x { if ($arg_a) {
        ux_collect; # here
        } }', qr/not allowed here/);
    $wrong->("with \"$_\"", "location /x { ux_collect $_; # here\n }",
        qr/invalid parameter "\Q$_\E" of "ux_collect": expected/)
        for 'on', 'trust', 'origin', 'origin=', 'origin=*',
        'origin=shop.example', 'origin=https://', 'origin=https:///',
        'origin=https://shop.example/', 'origin=https://shop.example/a',
        'origin=https://*.shop.example', 'origin=https://shop.example:',
        'origin=https://shop.example:0', 'origin=https://shop.example:65536',
        'origin=https://shop.example:080', 'origin=https://a@b', 'origin=null',
        'origin=https://a,', 'origin=,https://a', 'origin=https://[::1',
        'origin=https://[]', 'origin=9://a', 'zone=', 'zone=nosuch';
    $wrong->('an origin twice', 'location /x { ux_collect '
        . 'origin=https://a.example origin=HTTPS://A.example:443; # here
        }', qr/each origin once/);
    $wrong->('"trusted" twice', "location /x { ux_collect trusted trusted;"
        . " # here\n }", qr/each parameter once/);

    my ($ok, $output) = $t->test_config("server { listen 127.0.0.1:%%PORT%%;\n"
        . "location /x { ux_collect; # here\n } }");

    ok(!$ok, 'configuration: without a zone: refused');
    like($output, qr/no "ux_zone" for "ux_collect" in .*:\d+/,
        'configuration: without a zone: says why');

    ($ok, $output) = $t->test_config($conf =~ s/(location \/uxstats)/
        location \/x { ux_collect trusted zone=shop origin=https:\/\/a.example
            origin=http:\/\/127.0.0.1:8080,http:\/\/[::1]:80,app:\/\/shop; }
        $1/r);
    ok($ok, 'configuration: every parameter') or diag $output;

    return;
}
