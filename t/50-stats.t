#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The status endpoint: who may ask, for what, what the answer holds, and what
# it never does.
#
# Clients that are not of this machine are made by the realip module: the
# module under test asks nginx for the address, and nginx answers with the one
# of the X-Client header.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(AF_INET6 SOCK_STREAM inet_pton pack_sockaddr_in6);
use Test::More;
use UxNames;
use UxTest;

use constant { MARKER => 'zq9marker', CLIENTS => 4, SHOPPERS => 120 };


my $json = JSON::PP->new->utf8;
my $has_ipv6 = has_ipv6();

my $t = Ux::nginx(
    workers => 2,
    files => { 'page.html' => '<p>page</p>' },
    vars => { IPV6 => $has_ipv6 ? <<'CONF' : '' },
listen [::1]:%%PORT_SIX%%;
    listen [::ffff:127.0.0.1]:%%PORT_MAPPED%% ipv6only=off;
CONF
    conf => <<'CONF');
ux_zone shop 8m;
ux_zone empty 1m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    metric view_item;
    guardrail refund better=lower;
    window off;
}

ux_experiment other zone=empty {
    variant a 1;
    variant b 3;
    layer top 0-50%;
    traffic 20%;
    cap 500.00;
}

ux_funnel checkout {
    step view_item optional;
    step add_to_cart;
    step begin_checkout;
    step purchase;
    cart add_to_cart within=60m;
}

set_real_ip_from 127.0.0.0/8;
real_ip_header X-Client;

server {
    listen 127.0.0.1:%%PORT%%;
    %%IPV6%%
    ux_expose all;

    location / { try_files /page.html =404; }
    location /view  { ux_event view_item; try_files /page.html =404; }
    location /cart  { ux_event add_to_cart; return 302 /; }
    location /check { ux_event begin_checkout; try_files /page.html =404; }

    location /buy {
        ux_event purchase value=$arg_value id=$arg_id;
        try_files /page.html =404;
    }

    location /uxstats  { ux_stats; }
    location /slashed/ { ux_stats local; }
    location = /exact  { ux_stats; }
    location /any      { ux_stats any; }
    location /denied   { ux_stats any; deny all; }
    location /rewritten/ { rewrite ^ /x break; ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_ROOT%%;
    location / { ux_stats; }
}

# everything that could make a visitor of whoever asks
server {
    listen 127.0.0.1:%%PORT_GREEDY%%;
    ux_expose all requests=any;
    set $seen "$ux_visitor $ux_variants $ux_variant_layout";
    location /uxstats { set $seen $ux_visitor; ux_stats; }
    location /page { return 204; }
}

# not active: its variables still work
server {
    listen 127.0.0.1:%%PORT_IDLE%%;
    location /uxstats { set $seen "$ux_visitor $ux_variant_layout"; ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_PROXIED%% proxy_protocol;
    location /uxstats { ux_stats; }
    location /any     { ux_stats any; }
}

server {
    listen unix:%%DIR%%/nginx.sock;
    location /uxstats { ux_stats; }
}
CONF

# The harness replaces marks once: those inside of a mark come after.
$t->{conf} =~ s/%%IPV6%%/$t->{vars}{IPV6}/;
$t->start;

configuration_is_checked();
paths_are_relative_to_the_location();
parts_are_found_by_path();
methods_are_get_and_head();
others_are_refused();
sockets_of_this_machine_are_let_in();
headers_protect_the_answer();
nothing_of_the_request_is_echoed();
names_at_their_limits();
stats_requests_make_nobody_a_visitor();
fields_are_all_there('an empty zone');
numbers_hold_together_under_load();
fields_are_all_there('a busy zone');

$t->no_alerts;

done_testing();


sub has_ipv6
{
    socket my $socket, AF_INET6, SOCK_STREAM, 0 or return 0;

    return bind $socket, pack_sockaddr_in6(0, inet_pton(AF_INET6, '::1'));
}


sub configuration_is_checked
{
    my %refused = (
        'a regex location' => 'location ~ ^/uxstats { ux_stats; }',
        'a named location' => 'location @stats { ux_stats; }',
        'an if block' => 'location / { if ($arg_x) { ux_stats; } }',
        'another word' => 'location /s { ux_stats everybody; }',
        'twice' => 'location /s { ux_stats; ux_stats any; }',
    );

    for my $what (sort keys %refused) {
        my ($ok, $output) = $t->test_config("ux_zone z 1m;\nserver {\n"
            . "listen 127.0.0.1:%%PORT%%;\n$refused{$what}\n}\n");
        my $line = $t->line_of(qr/ux_stats/);

        ok(!$ok, "configuration: $what is refused");
        like($output, qr/ux_stats/, "configuration: $what: by its name");
        like($output, qr/test\.conf:$line\b/,
            "configuration: $what: on its line");
    }

    return;
}


sub paths_are_relative_to_the_location
{
    for my $path (qw(/uxstats /uxstats/ /uxstats/api/1 /uxstats/api/1/
        /slashed/ /slashed/api/1 /slashed/api/1/ /exact /any /any/
        /any/api/1/ /uxstats?x=1 /uxstats/api/1/?x=/zones /uxstats//api//1))
    {
        my $response = $t->get($path);
        is($response->status, 200, "path: $path is the document");
        is(eval { parse_strictly($response->body)->{version} }, 1,
            "path: $path is all of it");
    }

    for my $path (qw(/uxstatsfoo /uxstatsapi/1/ /uxstats/api/1x /uxstats/api
        /uxstats/api/ /uxstats/api/2/ /uxstats/API/1/ /uxstats/nothing
        /slashed/foo /slashed/api/1foo /any/x /uxstats/api/11
        /uxstats/zones /rewritten/ /rewritten/api/1/))
    {
        my $response = $t->get($path);
        is($response->status, 404, "path: $path is not there");
        is_deeply(eval { parse_strictly($response->body) },
            { error => 'not found' }, "path: $path: says so in JSON");
    }

    for my $path (qw(/ /api/1/)) {
        my $response = Ux::Connection->new($t->port('PORT_ROOT'))
            ->request('GET', $path);
        is($response->status, 200, "path: $path of a location /");
    }

    return;
}


sub parts_are_found_by_path
{
    my $all = $t->get('/uxstats/api/1/')->json;
    my $here = '/zones/shop/experiments/layout';

    for my $part (
        [ '/version', 1 ],
        [ '/zones/shop/visitors', $all->{zones}{shop}{visitors} ],
        [ '/zones/empty/experiments/other',
          $all->{zones}{empty}{experiments}{other} ],
        [ "$here/epochs/0/epoch", 1 ],
        [ "$here/variants/one_page/control", JSON::PP::false ],
        [ "$here/variants/control/funnels/checkout/steps/2/event",
          'begin_checkout' ],
        [ "$here/winner", undef ])
    {
        my ($path, $expected) = @$part;

        for my $slash ('', '/') {
            my $response = $t->get("/uxstats/api/1$path$slash");
            is($response->status, 200, "part: $path$slash is there");
            my $got = parse_strictly($response->body);
            clean($_) for $got, $expected;
            is_deeply($got, $expected, "part: $path$slash");
        }
    }

    for my $path ('/zones/nothing', "$here/variants/nobody", "$here/epochs/1",
        "$here/epochs/-1", "$here/epochs/00", "$here/epochs/x",
        "$here/epochs/99999999999999999999", '/version/1', '/version/x',
        '/zones/shop/experiments/LAYOUT', '/zones/shop/experiments/layou',
        '/zones/shop/experiments/layout_', '/zones/shop%00/visitors',
        "$here/winner/x", '/%7B%7D', '/zones/%22')
    {
        my $response = $t->get("/uxstats/api/1$path");
        next if $path =~ /%00/ && $response->status == 400;
        is($response->status, 404, "part: $path is not there");
        is_deeply(eval { parse_strictly($response->body) },
            { error => 'not found' }, "part: $path: says so in JSON");
    }

    return;
}


# What moves with time is no difference.
sub clean
{
    if (ref $_[0] eq 'HASH') {
        delete $_[0]{runtime_seconds};
        clean($_) for values %{ $_[0] };
    }

    return;
}


sub methods_are_get_and_head
{
    for my $method (qw(POST PUT DELETE OPTIONS PATCH PROPFIND)) {
        my $response = $t->request($method, '/uxstats', 'Content-Length', 0);
        is($response->status, 405, "method: $method is refused");
        is($response->header('Allow'), 'GET, HEAD',
            "method: $method: is told what is allowed");
    }

    my $get = $t->get('/uxstats/api/1/zones/empty/events');
    my $head = $t->head('/uxstats/api/1/zones/empty/events');

    is($head->status, 200, 'method: HEAD is answered');
    is($head->body, '', 'method: HEAD has no body');
    is_deeply([ stable($head) ], [ stable($get) ],
        'method: HEAD has the headers of GET');
    is($t->head('/uxstats/nothing')->status, 404,
        'method: HEAD of what is not there');

    my $response = $t->connection->request('GET', '/uxstats', [], 'x' x 5000);
    is($response->status, 200, 'method: the body of a GET does not matter');

    return;
}


sub stable
{
    my ($response) = @_;

    return map { "$_->[0]: $_->[1]" } grep { $_->[0] ne 'Date' }
        @{ $response->{headers} };
}


sub others_are_refused
{
    my @forwarded = (
        [ 'Forwarded' => 'for=127.0.0.1' ],
        [ 'X-Forwarded-For' => '127.0.0.1' ],
        [ 'x-forwarded-for' => '' ],
        [ 'X-Real-IP' => '127.0.0.1' ],
        [ 'VIA' => '1.1 proxy' ],
        [ (map { ("X-Fill-$_" => $_) } 1 .. 40), 'Via' => '1.1 proxy' ],
    );

    for my $headers (@forwarded) {
        my $name = "$headers->[-2]: $headers->[-1]";
        is($t->get('/uxstats', @$headers)->status, 403,
            "access: $name is refused");
        is($t->get('/uxstats/nothing', @$headers)->status, 403,
            "access: $name is not told what is there");
        is($t->get('/slashed/api/1/', @$headers)->status, 403,
            "access: $name is refused by the word local");
        is($t->get('/any', @$headers)->status, 200,
            "access: $name is served by the word any");
    }

    for my $address (qw(192.0.2.1 10.0.0.1 128.0.0.1 126.255.255.255 0.0.0.0
        2001:db8::1 :: ::2 ::ffff:192.0.2.1))
    {
        my $response = $t->get('/uxstats', 'X-Client' => $address);
        is($response->status, 403, "access: $address is refused");
        unlike($response->body, qr/zones/, "access: $address learns nothing");
        is($t->get('/any', 'X-Client' => $address)->status, 200,
            "access: $address is served by the word any");
    }

    for my $address (qw(127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1)) {
        is($t->get('/uxstats', 'X-Client' => $address)->status, 200,
            "access: $address is let in");
    }

    is($t->get('/denied')->status, 403,
        'access: the word any leaves it to deny');
    is($t->request('POST', '/uxstats', 'X-Client' => '192.0.2.1',
        'Content-Length', 0)->status, 403, 'access: whatever the method');

    proxy_protocol_speaks_for_others();

    return;
}


# A balancer on this machine that says who is asking in front of the request.
sub proxy_protocol_speaks_for_others
{
    for my $case ([ '192.0.2.1', '/uxstats', 403 ],
        [ '192.0.2.1', '/any', 200 ])
    {
        my ($address, $path, $status) = @$case;
        my $connection = Ux::Connection->new($t->port('PORT_PROXIED'));
        $connection->send("PROXY TCP4 $address 127.0.0.1 4000 80\r\n"
            . "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        is($connection->read_response->status, $status,
            "access: PROXY protocol of $address at $path");
    }

    my $connection = Ux::Connection->new($t->port('PORT_PROXIED'));
    $connection->send("PROXY UNKNOWN\r\n"
        . "GET /uxstats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    is($connection->read_response->status, 200,
        'access: PROXY protocol of the balancer itself');

    return;
}


sub sockets_of_this_machine_are_let_in
{
    SKIP: {
        skip 'no IPv6 on this machine', 2 unless $has_ipv6;

        socket my $socket, AF_INET6, SOCK_STREAM, 0 or die "socket: $!";
        connect $socket, pack_sockaddr_in6($t->port('PORT_SIX'),
            inet_pton(AF_INET6, '::1')) or die "connect: $!";
        like(ask($socket), qr{^HTTP/1.1 200 .*"version":1}s,
            'access: ::1 is let in');

        is(Ux::Connection->new($t->port('PORT_MAPPED'))
            ->request('GET', '/uxstats')->status, 200,
            'access: 127.0.0.1 by an IPv6 socket is let in');
    }

    SKIP: {
        my $path = $t->dir . '/nginx.sock';
        my $socket = IO::Socket::UNIX->new(Peer => $path)
            or skip "no socket at $path: $!", 2;
        like(ask($socket), qr{^HTTP/1.1 200 .*"version":1}s,
            'access: a unix socket is let in');

        $socket = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!";
        like(ask($socket, "X-Forwarded-For: 127.0.0.1\r\n"),
            qr{^HTTP/1.1 403 },
            'access: a unix socket that speaks for others is refused');
    }

    return;
}


sub ask
{
    my ($socket, $headers) = @_;

    syswrite $socket, "GET /uxstats HTTP/1.1\r\nHost: x\r\n"
        . 'Connection: close' . "\r\n" . ($headers || '') . "\r\n";

    my $answer = '';
    1 while sysread $socket, $answer, 65536, length $answer;

    return $answer;
}


sub headers_protect_the_answer
{
    my %wanted = (
        'Cache-Control' => 'no-store',
        'X-Content-Type-Options' => 'nosniff',
        'Vary' => 'Accept',
        'Content-Type' => 'application/json',
    );

    for my $path (qw(/uxstats /uxstats/api/1/zones /uxstats/nothing
        /uxstats/api/1/nothing /any))
    {
        my $response = $t->get($path, 'If-Modified-Since' =>
            'Sun, 06 Nov 2044 08:49:37 GMT', 'Range' => 'bytes=0-1');

        unlike($response->status, qr/^(?:206|304)$/,
            "headers: $path is always answered whole");
        for my $name (sort keys %wanted) {
            is_deeply([ $response->headers($name) ], [ $wanted{$name} ],
                "headers: $path: $name");
        }

        my ($policy, @more) = $response->headers('Content-Security-Policy');
        is(scalar @more, 0, "headers: $path: one policy");
        like($policy, qr/default-src 'none'/, "headers: $path: no sources");
        like($policy, qr/frame-ancestors 'none'/, "headers: $path: no frame");
        unlike($policy, qr/unsafe|\*|https?:/, "headers: $path: no holes");
        is($response->header($_), undef, "headers: $path: no $_")
            for qw(Access-Control-Allow-Origin Set-Cookie ETag Last-Modified);
    }

    return;
}


# The longest names there may be, of all that they may be of.
sub names_at_their_limits
{
    my ($s, $long, $a, $b) = UxNames::longest();
    my $zone = $s->stats("/zones/$long->{zone}");
    my $variants = $zone->{experiments}{$long->{experiment}}{variants};

    is($zone->{events}{$long->{event}}, 3, 'limits: an event');
    is_deeply([ sort keys %$variants ], [ sort $a, $b ],
        'limits: an experiment, its variants');
    ok((grep { $_->{funnels}{$long->{funnel}}{steps}[0]{visitors} == 1
        && $_->{metrics}{$long->{event}}{visitors} == 1 } values %$variants),
        'limits: a funnel, a metric');
    is($s->stats("/zones/$long->{zone}/experiments/$long->{experiment}"
        . "/variants/$a/control"), JSON::PP::true(),
        'limits: and the path to it');
    $s->no_alerts;

    return;
}


sub nothing_of_the_request_is_echoed
{
    my $mark = MARKER;
    my @paths = ("/$mark", "/%22%3E%3Cscript%3E$mark", "/api/1/$mark",
        "/\"><script>$mark</script>", "/api/1/zones/$mark/x",
        "/api/1/zones/shop/$mark", "?$mark", "?callback=$mark",
        "?format=<$mark>", "/api/1/?jsonp=$mark&format=$mark",
        "/api/1/%0d%0aX-$mark:%20x", "/api/1/%ff%fe$mark",
        "/..;/$mark", "/%2e%2e%2fuxstats/$mark", "/api/1/$mark" . 'x' x 2000,
        "/api/1/{\"$mark\":1}", "/api/1/zones/\$uri$mark", "#$mark",
        "/api/1/zones/shop?\"$mark\"", "/api/1//$mark//");
    my @headers = ('Host' => "$mark.example", 'User-Agent' => "<$mark>",
        'Referer' => "http://$mark/\"", 'Cookie' => "ux=$mark; $mark=1",
        'Accept' => "text/$mark, application/json", 'Origin' => $mark,
        'Accept-Language' => $mark, "X-$mark" => $mark,
        'X-UX-Variant' => "layout=$mark", 'X-Key' => $mark);

    for my $path (@paths) {
        for my $base (qw(/uxstats /any /slashed)) {
            my $response = $t->get("$base$path", @headers);
            my $name = substr "echo: $base$path", 0, 60;

            ok($response, "$name is answered") or next;
            unlike($response->head . $response->body, qr/\Q$mark\E/i,
                "$name: nothing of it comes back");
            next if $base eq '/slashed' && $path !~ m{^/}
                || $response->status == 400;
            ok(eval { parse_strictly($response->body); 1 },
                "$name: the answer is JSON") or diag $@;
        }
    }

    for my $query (qw(callback=x format=html zone=empty pretty=1 a[]=1 %00)) {
        my $response = $t->get("/uxstats/api/1/version?$query");
        is($response->body, "1\n", "echo: the query $query is ignored");
    }

    return;
}


sub stats_requests_make_nobody_a_visitor
{
    my %before = %{ $t->stats('/zones/shop') };

    for my $port (qw(PORT PORT_GREEDY PORT_IDLE)) {
        for my $path (qw(/uxstats /uxstats/api/1/ /uxstats/nothing)) {
            my $browser = Ux::browser($t->port($port));
            my $response = $browser->go($path);
            is($response->header('Set-Cookie'), undef,
                "$port: $path mints no cookie");
            $browser->go($path);
        }
    }

    my %after = %{ $t->stats('/zones/shop') };
    is_deeply($after{$_}, $before{$_}, "stats requests leave $_ as it is")
        for qw(visitors http events discarded);
    is($after{visitors}{tracked}, 0, 'stats requests make no record');

    my $response = Ux::browser($t->port('PORT_GREEDY'))->go('/page');
    like($response->set_cookie('ux'), qr/^1\./,
        'another location of that server does mint');

    return;
}


# Every field of the contract, at any time; 'any' is what may be null yet.
sub fields_are_all_there
{
    my ($when) = @_;

    my $document = parse_strictly($t->get('/uxstats')->body);
    my $vs = { map { $_ => 'any' } qw(status difference difference_ci lift
        lift_ci ci_level p_value p_now p_adjusted significant significant_at
        rate_adjusted control_rate_adjusted exact probability_better
        expected_loss bayesian fixed_horizon) };
    my $http = { requests => 'count', error_visitors => 'count',
        status => { map { $_ => 'count' } qw(1xx 2xx 3xx 4xx 5xx
            client_abort) },
        seconds => { map { $_ => 'any' } qw(p50 p75 p95 p99) } };
    my $conversion = { type => qr/^conversion$/, role => 'word',
        better => qr/^(?:higher|lower)$/, visitors => 'count',
        events => 'count', rate => 'rate', rate_ci => 'interval',
        vs_control => [ $vs ] };
    my $step = { event => 'word', optional => 'bool', visitors => 'count',
        visitors_before_exposure => 'count', events => 'count',
        rate => 'rate', rate_ci => 'interval', visitors_in_order => 'count',
        rate_from_previous => 'rate', vs_control => [ $vs ],
        seconds => { map { $_ => 'any' } qw(p50 p75 p90) } };
    my $carts = { (map { $_ => 'count' } qw(created carried_in open purchased
            abandoned recovered settled purchases_without_cart)),
        abandonment_rate => 'rate', abandonment_ci => 'interval',
        abandoned_after => { map { $_ => 'count' } qw(add_to_cart
            begin_checkout) } };
    my $variant = { control => 'bool', weight => 'number', share => 'rate',
        assigned => 'count', visitors => 'count', confirmed_share => 'rate',
        visitors_in_window => 'any',
        metrics => {
            purchase => $conversion, view_item => $conversion,
            refund => { %$conversion, guardrail => 'any' },
        },
        funnels => { checkout => { steps => 'steps',
            biggest_loss => [ { after => 'word', carts => 'count' } ],
            carts => $carts } },
        segments => {}, http => $http };
    my $experiment = { state => qr/^running$/, version => 'count',
        started_at => 'time', ended_at => 'any', runtime_seconds => 'count',
        min_runtime_seconds => 'count', traffic => 'rate', layer => 'any',
        planned_visitors => 'count', goal => qr/^purchase$/,
        alpha => 'rate', verdict => qr/^collecting$/, winner => 'any',
        waiting_for => 'list', problems => 'list',
        crossover_visitors => 'count', moved_visitors => 'count',
        analysis_since_epoch => 'count', epoch => 'count',
        epochs => 'list', previous => 'any',
        srm => { method => qr/^sequential_multinomial$/, p_value => 'any',
            ok => 'any', chi_square_p => 'any' },
        intention_to_treat => { variants => { map { $_ => {
            assigned => 'count', rate => 'any', difference => 'any',
            p_value => 'any' } } qw(control one_page) } },
        variants => { control => $variant, one_page => $variant } };
    my $zone = { size_bytes => 'count',
        visitors => { map { $_ => 'count' } qw(capacity tracked provisional
            evicted expired contended_drop) },
        snapshot => { path => 'any', saved_at => 'any', age_seconds => 'any',
            restored => 'bool', errors => 'count' },
        discarded => { map { $_ => 'count' } qw(excluded override no_consent
            bot prefetch head cross_site cached bad_cookie bad_event
            unknown_event duplicate refund_excess not_exposed after_window
            zone_full) },
        purchases_without_id => 'count', other_currencies => {},
        returned_after_eviction => 'count', http => $http,
        events => { map { $_ => 'count' } qw(view_item add_to_cart
            begin_checkout add_shipping_info add_payment_info purchase
            refund) },
        experiments => {} };

    my @wrong = missing($document, { version => qr/^1$/,
        module => qr/^\d+\.\d+\.\d+$/, nginx => qr/^\d+\.\d+\.\d+$/,
        node => 'word', generated_at => 'time',
        zones => { empty => $zone, shop => { %$zone,
            experiments => { layout => $experiment } } } }, '');
    is(join("\n", @wrong), '', "$when: every field of the contract is there");

    my $layout = $document->{zones}{shop}{experiments}{layout};
    for my $name (sort keys %{ $layout->{variants} }) {
        my $checkout = $layout->{variants}{$name}{funnels}{checkout};
        is_deeply([ map { $_->{event} } @{ $checkout->{steps} } ],
            [ qw(view_item add_to_cart begin_checkout purchase) ],
            "$when: $name: the steps in order");
        @wrong = map { missing($_, $step, '/steps') } @{ $checkout->{steps} };
        is(join("\n", @wrong), '', "$when: $name: every field of a step");
    }

    @wrong = map { missing($_, { epoch => 'count', started_at => 'time',
        traffic => 'rate', weights => { control => 'number',
        one_page => 'number' }, visitors => 'count', used => 'bool' },
        '/epochs') } @{ $layout->{epochs} };
    is(join("\n", @wrong), '', "$when: every field of an epoch");

    my $revenue = $document->{zones}{empty}{experiments}{other}{variants}{a}
        {metrics}{revenue};
    @wrong = missing($revenue, { type => qr/^mean$/, role => qr/^secondary$/,
        better => qr/^higher$/, currency => qr/^EUR$/, sum => 'number',
        mean => 'any', variance => 'any', vs_control => 'any' }, '/revenue');
    is(join("\n", @wrong), '',
        "$when: revenue is among the metrics of who names none");

    is($document->{zones}{shop}{size_bytes}, 8 * 1024 * 1024,
        "$when: the zone's size is the configured one");
    is($layout->{variants}{control}{control}, JSON::PP::true,
        "$when: the first variant is the control");
    is($layout->{min_runtime_seconds}, 7 * 86400, "$when: a week by default");

    return;
}


my %kind;

BEGIN {
    my $number = qr/^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

    %kind = (
        any      => sub { 1 },
        count    => sub { defined $_[0] && $_[0] =~ /^\d+$/ },
        number   => sub { defined $_[0] && $_[0] =~ $number },
        rate     => sub { !defined $_[0]
            || $_[0] =~ $number && $_[0] >= 0 && $_[0] <= 1 },
        interval => sub { !defined $_[0] || ref $_[0] eq 'ARRAY'
            && @{ $_[0] } == 2 && $_[0][0] <= $_[0][1] },
        bool     => sub { JSON::PP::is_bool($_[0]) },
        word     => sub { defined $_[0] && !ref $_[0] && $_[0] =~ /./ },
        time     => sub { defined $_[0]
            && $_[0] =~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ },
        list     => sub { ref $_[0] eq 'ARRAY' },
        steps    => sub { ref $_[0] eq 'ARRAY' && @{ $_[0] } == 4 },
    );
}

# What of the wanted shape is not there; [ shape ] is that shape or null.
sub missing
{
    my ($value, $shape, $path) = @_;

    if (ref $shape eq 'ARRAY') {
        return defined $value ? missing($value, $shape->[0], $path) : ();
    }

    if (ref $shape eq 'HASH') {
        return "$path is no object" unless ref $value eq 'HASH';
        return map { exists $value->{$_}
            ? missing($value->{$_}, $shape->{$_}, "$path/$_")
            : "$path/$_ is not there" } sort keys %$shape;
    }

    my $right = ref $shape ? defined $value && $value =~ $shape
        : $kind{$shape}->($value);

    return $right ? () : "$path: " . (defined $value ? $value : 'null')
        . " is no $shape";
}


sub numbers_hold_together_under_load
{
    my $before = $t->stats('/zones/shop');
    my @seen = Ux::parallel(CLIENTS + 1, sub {
        my ($i) = @_;
        return $i == CLIENTS
            ? watch_identities($before->{visitors}{tracked}) : shop($i);
    });

    my $watched = pop @seen;
    cmp_ok($watched->{times}, '>', 5, 'under load: the document was read');
    is_deeply($watched->{broken}, [], 'under load: every identity held');

    my %sum;
    for my $client (@seen) {
        $sum{$_} += $client->{$_} for keys %$client;
    }

    Ux::wait_until(sub {
        $t->stats('/zones/shop/http/requests')
            >= $before->{http}{requests} + $sum{requests} });
    $t->rest;
    my $document = $t->get('/uxstats')->json;
    my $zone = $document->{zones}{shop};
    my @variants = values %{ $zone->{experiments}{layout}{variants} };

    is_deeply([ broken_identities($document) ], [], 'then: every identity');
    is($zone->{visitors}{tracked}, $sum{visitors} + 1,
        'then: a record for everybody');
    is($zone->{visitors}{provisional}, $sum{strangers} + 1,
        'then: strangers are provisional');
    is(total(\@variants, 'assigned'), $sum{visitors} + 1,
        'then: assigned, summed over variants');
    is(total(\@variants, 'visitors'), $sum{visitors} - $sum{strangers},
        'then: visitors, summed over variants');
    is($zone->{experiments}{layout}{epochs}[0]{visitors},
        total(\@variants, 'visitors'), 'then: those of the epoch');
    is($zone->{events}{$_}, $sum{$_} || 0, "then: events of $_")
        for keys %{ $zone->{events} };
    is(total(\@variants, 'metrics', $_, 'events'), $sum{$_} || 0,
        "then: events of $_, summed over variants")
        for qw(view_item purchase refund);
    is(total(\@variants, qw(funnels checkout carts created)), $sum{carts},
        'then: carts, summed over variants');
    is(total(\@variants, qw(funnels checkout carts purchased)),
        $sum{purchase}, 'then: carts purchased');
    is($zone->{http}{requests} - $before->{http}{requests}, $sum{requests},
        'then: requests');
    is(total(\@variants, 'http', 'requests'), $sum{requests} + 1,
        'then: requests, summed over variants');

    my $text = $t->get('/uxstats')->body;
    unlike($text, qr/127\.0\.0\.1|[0-9a-f]{32}|Mozilla|page\.html/,
        'then: no address, key, agent or path in the document');

    return;
}


# A visitor who never comes back, or views, fills a cart, maybe buys.
sub shop
{
    my ($client) = @_;

    my %sum = (requests => 0, visitors => 0, strangers => 0, carts => 0);

    for my $n (1 .. SHOPPERS) {
        my $browser = $t->browser;

        # half of them come when it has been read a few times

        Ux::wait_until(sub { -e watched() }, 60) if $n == SHOPPERS / 2;

        $sum{visitors}++;
        $sum{requests}++ if $browser->go('/')->status == 200;
        if ($n % 4 == 0) {
            $sum{strangers}++;
            next;
        }

        my @path = ([ '/view', 'view_item' ], [ '/cart', 'add_to_cart' ]);
        push @path, [ '/check', 'begin_checkout' ] if $n % 3;
        push @path, [ "/buy?value=1.5&id=$client-$n", 'purchase' ]
            if $n % 3 == 1;

        for my $step (@path) {
            $sum{requests}++ if $browser->go($step->[0])->status =~ /^[23]/;
            $sum{$step->[1]}++;
        }
        $sum{carts}++;
    }

    return \%sum;
}


sub watched { return $t->dir . '/watched' }


sub watch_identities
{
    my ($before) = @_;

    my ($times, $last, @broken) = (0, -1);

    # ends with the last shopper, or where there is none

    while ($times < 5000) {
        my $document = parse_strictly($t->get('/uxstats')->body);
        my $now = $document->{zones}{shop}{visitors}{tracked};

        push @broken, broken_identities($document);
        $times++;
        Ux::_write(watched(), '') if $times == 6;
        last if $now >= $before + CLIENTS * SHOPPERS;
        select undef, undef, undef, 0.005 if $now == $last;
        $last = $now;
    }

    return { times => $times, broken => [ @broken[0 .. ($#broken < 9
        ? $#broken : 9)] ] };
}


# What must be so at every moment, whoever counts meanwhile.
sub broken_identities
{
    my ($document) = @_;

    my @broken;
    my $check = sub { push @broken, "$_[1]: $_[2]" unless $_[0] };

    for my $zone (values %{ $document->{zones} }) {
        my $v = $zone->{visitors};
        $check->($v->{provisional} <= $v->{tracked}, 'zone',
            "provisional $v->{provisional} <= tracked $v->{tracked}");

        for my $experiment (values %{ $zone->{experiments} }) {
            for my $name (keys %{ $experiment->{variants} }) {
                variant_identities($experiment->{variants}{$name},
                    sub { $check->($_[0], $name, $_[1]) });
            }
        }
    }

    return @broken;
}


sub variant_identities
{
    my ($variant, $check) = @_;

    my $n = $variant->{visitors};

    $check->($variant->{assigned} >= $n, "assigned >= visitors $n");

    for my $name (keys %{ $variant->{metrics} }) {
        my $metric = $variant->{metrics}{$name};
        $check->($metric->{visitors} <= $n, "$name visitors <= $n");
        $check->($metric->{visitors} <= $metric->{events},
            "$name visitors $metric->{visitors} <= events");
    }

    for my $funnel (values %{ $variant->{funnels} }) {
        my $carts = $funnel->{carts};
        for my $step (@{ $funnel->{steps} }) {
            $check->($step->{visitors} <= $n,
                "$step->{event} visitors <= $n");
            $check->($step->{visitors_in_order} <= $n,
                "$step->{event} in order <= $n");
        }
        my $after = 0;
        $after += $_ for values %{ $carts->{abandoned_after} };
        $check->($carts->{created} == $carts->{open} + $carts->{purchased}
            + $carts->{abandoned}, 'created = open + purchased + abandoned');
        $check->($after == $carts->{abandoned},
            'abandoned is the sum of abandoned_after');
        $check->($carts->{recovered} <= $carts->{abandoned},
            'recovered is part of abandoned');
        $check->($carts->{settled} >= $carts->{abandoned},
            'abandoned is part of settled');
    }

    return;
}


sub total
{
    my ($variants, @path) = @_;

    my $sum = 0;
    for my $variant (@$variants) {
        my $value = $variant;
        $value = $value->{$_} for @path;
        $sum += $value;
    }

    return $sum;
}


# JSON as RFC 8259 says it and no more: UTF-8, no name twice in an object, no
# blanks but those between, nothing behind the end but one line end.
sub parse_strictly
{
    my ($text) = @_;

    my $bytes = $text;
    utf8::decode(my $checked = $bytes) or die "not UTF-8\n";

    $bytes =~ s/\n\z// or die "no line end\n";
    my $value = strict_value(\$bytes, 0);
    die "more behind the end\n" if $bytes ne '';

    my $again = $json->decode($text =~ /^[\[{]/ ? $text : "[$text]");
    return $text =~ /^[\[{]/ ? $again : $again->[0];
}


sub strict_value
{
    my ($bytes, $depth) = @_;

    die "too deep\n" if $depth > 30;

    if ($$bytes =~ s/^\{//) {
        my %seen;
        return 1 if $$bytes =~ s/^\}//;
        while (1) {
            my $name = strict_string($bytes);
            die "the name $name twice\n" if $seen{$name}++;
            $$bytes =~ s/^:// or die "no colon behind $name\n";
            strict_value($bytes, $depth + 1);
            return 1 if $$bytes =~ s/^\}//;
            $$bytes =~ s/^,// or die "no comma behind $name\n";
        }
    }

    if ($$bytes =~ s/^\[//) {
        return 1 if $$bytes =~ s/^\]//;
        while (1) {
            strict_value($bytes, $depth + 1);
            return 1 if $$bytes =~ s/^\]//;
            $$bytes =~ s/^,// or die "no comma in an array\n";
        }
    }

    return strict_string($bytes) if $$bytes =~ /^"/;

    $$bytes =~ s/^(?:true|false|null
        |-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
        (?=[,\]}]|\z)//x or die 'no value: ' . substr($$bytes, 0, 20) . "\n";

    return 1;
}


sub strict_string
{
    my ($bytes) = @_;

    $$bytes =~ s/^"((?:[^"\\\x00-\x1f]
        |\\(?:["\\\/bfnrt]|u[0-9a-fA-F]{4}))*)"//x
        or die 'no string: ' . substr($$bytes, 0, 20) . "\n";

    return $1;
}
