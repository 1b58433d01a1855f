#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Real access logs, request by request: a shop's morning and a log full of
# scanners and broken requests.  Every request must be answered as a server
# without the module answers it, and the steps of basket and checkout must be
# found, also where only the query string tells them.
#
# The same configuration runs twice, with the ux lines and without them.  An
# application behind both repeats the status that the log says.  A log has no
# Accept header, so requests for pages (see is_page) get one; the visitor is
# the client's address, given as a key.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use Test::More;
use UxTest;

use constant CONNECTIONS => 8;


my $shop_log = Ux::data('zanbil_access_log/access-10k.redacted.log');
my $hostile_log = Ux::data('advertools_nginx_log/nginx_access.log');

plan skip_all => "no recorded traffic at $shop_log, $hostile_log"
    unless -r $shop_log && -r $hostile_log;

my $ux = <<'CONF';
ux_zone shop 16m;

ux_experiment basket_layout {
    variant control 50;
    variant compact 50;
    goal add_payment_info;
    window off;
}

ux_funnel checkout {
    step view_item optional;
    step add_to_cart;
    step begin_checkout;
    step add_shipping_info;
    step add_payment_info;
    step purchase;
    cart add_to_cart within=60m;
}
CONF

my $site = <<'CONF';
map $arg_currentStep $is_begin    { "" 1; default 0; }
map $arg_currentStep $is_shipping { 2 1; default 0; }
map $arg_currentStep $is_payment  { 3 1; default 0; }

server {
    listen 127.0.0.1:%%PORT%%;
    proxy_set_header X-Status $http_x_status;
    keepalive_requests 100000;
    ux_visitor_key $http_x_client;
    ux_expose all;

    location / {
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }

    location ~ ^/(m/)?product/ {
        ux_event view_item;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }

    location /basket/add/ {
        ux_event add_to_cart;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }

    location = /basket/checkout {
        ux_event begin_checkout    if=$is_begin;
        ux_event add_shipping_info if=$is_shipping;
        ux_event add_payment_info  if=$is_payment;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }

    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_APP%%;
    keepalive_requests 100000;

    location / {
        if ($http_x_status = 301) { return 301 /elsewhere; }
        if ($http_x_status = 302) { return 302 /elsewhere; }
        if ($http_x_status = 304) { return 304; }
        if ($http_x_status = 400) { return 400; }
        if ($http_x_status = 403) { return 403; }
        if ($http_x_status = 404) { return 404; }
        if ($http_x_status = 405) { return 405; }
        if ($http_x_status = 500) { return 500 "failed"; }
        return 200 "$request_method $request_uri";
    }
}
CONF
my @shop = grep { $_->{method} } read_log($shop_log);
my @hostile = read_log($hostile_log);

is(scalar @shop, 10000, 'shop: every line is a request');
is(scalar @hostile, 1000, 'hostile: lines');

my $bots = Ux::nginx(conf => '');
my $count_bots = ($bots->test_config("ux_zone z 8m;\n"
    . "server { ux_bots count; }"))[0] ? "ux_bots count;\n" : '';

my $t = Ux::nginx(workers => 2, conf => "$count_bots$ux$site")->start;
my $control = Ux::nginx(workers => 2, conf => without_ux($site))->start;

shop_is_served_alike();
basket_is_found();
hostile_is_served_alike();
stats_are_still_whole();

$t->no_alerts('shop: no alerts');
$control->no_alerts('control: no alerts');

done_testing();


# Requests in order; one that is no request line has `raw` only.
sub read_log
{
    my ($path) = @_;

    my @requests;

    open my $in, '<', $path or die "cannot read $path: $!\n";
    while (my $line = <$in>) {
        my ($client, $request, $status, $agent) = $line =~ m{
            ^(\S+) [^"]* "((?:[^"\\]|\\.)*)"\ (\d{3})\ \d+
            \ "(?:[^"\\]|\\.)*"\ "((?:[^"\\]|\\.)*)" }x
            or die "not a line of a log: $line";
        my ($method, $target, $version) = $request
            =~ m{^([A-Z_]+) (\S+) HTTP/(1\.[01])$};

        push @requests, { client => $client, status => $status,
            raw => unescape($request), agent => unescape($agent),
            method => $method, version => $version,
            target => defined $target ? unescape($target) : undef };
    }

    return @requests;
}


# nginx writes quotes and bytes beyond ASCII as \xHH.
sub unescape
{
    my ($text) = @_;

    $text =~ s/\\x([0-9A-F]{2})/chr hex $1/ge;

    return $text eq '-' ? '' : $text;
}


# Everything but what pages load by themselves.
sub is_page
{
    my ($request) = @_;

    my ($path) = $request->{target} =~ /^([^?]*)/;

    return $path !~ m{^/(?:image|static|settings|ajax)(?:/|$)}
        && $path !~ m{\.(?:css|js|png|jpe?g|gif|ico|svg|woff2?|ttf|xml|txt)$};
}


# The configuration of a server that has never heard of the module.
sub without_ux
{
    my ($text) = @_;

    $text =~ s/^.*\{ ux_stats; \}\n//mg;
    $text =~ s/^\s*ux_.*\n//mg;

    return $text;
}


sub request_text
{
    my ($request) = @_;

    return $request->{raw} . "\r\n\r\n" unless $request->{method};

    my @headers = ('X-Client' => $request->{client},
        'X-Status' => $request->{status}, 'User-Agent' => $request->{agent},
        Accept => is_page($request) ? 'text/html' : '*/*');
    my $text = Ux::Connection->request_text($request->{method},
        $request->{target}, \@headers,
        $request->{method} eq 'POST' ? '' : undef);

    $text =~ s{ HTTP/1\.1\r\n}{ HTTP/$request->{version}\r\n};

    return $text;
}


# Sends requests, one client's in order; a line each on how it was answered.
sub replay
{
    my ($nginx, $requests) = @_;

    my @parts = Ux::parallel(CONNECTIONS, sub {
        my ($shard) = @_;
        my $connection = $nginx->connection;
        my %answer;

        for my $i (0 .. $#$requests) {
            next if shard_of($requests->[$i]{client}) != $shard;
            $answer{$i} = describe(answer_to($connection, $requests->[$i]));
        }

        return \%answer;
    });
    my %answer = map { %$_ } @parts;

    return map { $answer{$_} } 0 .. $#$requests;
}


sub shard_of
{
    my ($client) = @_;

    return unpack('%32C*', $client) % CONNECTIONS;
}


# A broken request is sent on a connection of its own, and nothing after it.
sub answer_to
{
    my ($connection, $request) = @_;

    return $connection->exchange(request_text($request), $request->{method})
        if $request->{method};

    my $own = Ux::Connection->new($connection->{port});
    $own->send(request_text($request));
    $own->shutdown;

    return $own->read_response;
}


# Status, body and all headers but the date and those of caching, which the
# module changes where a variant was shown.
sub describe
{
    my ($response) = @_;

    return 'no answer' unless $response;

    my @headers = map { join ': ', @$_ } grep {
        $_->[0] !~ /^(?:Date|Vary|Cache-Control)$/i
    } @{ $response->{headers} };

    my $body = $response->body;
    s/(?:127\.0\.0\.1|localhost):\d+/HOST/g for @headers, $body;

    return join ' | ', $response->status, md5_hex($body), sort @headers;
}


sub differences
{
    my ($with, $without, $requests) = @_;

    return map { "$requests->[$_]{raw}: with $with->[$_],"
        . " without $without->[$_]" }
        grep { $with->[$_] ne $without->[$_] } 0 .. $#$requests;
}


sub shop_is_served_alike
{
    my @with = replay($t, \@shop);
    my @without = replay($control, \@shop);
    my @differ = differences(\@with, \@without, \@shop);

    is(scalar @differ, 0, 'shop: answered as without the module')
        or diag join "\n", @differ[0 .. ($#differ < 4 ? $#differ : 4)];
    is(scalar(grep { $with[$_] !~ /^$shop[$_]{status} / } grep {
        $shop[$_]{status} != 499 } 0 .. $#shop), 0,
        'shop: statuses are those of the log');

    return;
}


# The event a logged request means, by the rules of the configuration above;
# undef: none.  A HEAD shows nobody a page.
sub event_of
{
    my ($request) = @_;

    my ($path, $query) = split /\?/, $request->{target}, 2;
    my ($step) = defined $query
        ? $query =~ /(?:^|&)currentStep=([^&]*)/ : ();

    return undef if $request->{method} !~ /^(?:GET|POST)$/
        || $request->{status} !~ /^[23]|499/;
    return 'view_item' if $path =~ m{^/(?:m/)?product/};
    return 'add_to_cart' if $path =~ m{^/basket/add/};
    return undef if $path ne '/basket/checkout';
    return 'begin_checkout' if !defined $step || $step eq '';

    return { 2 => 'add_shipping_info', 3 => 'add_payment_info' }->{$step};
}


# Who was shown a page at least once is a visitor; events of others, before
# that included, belong to nobody.
sub count_shop
{
    my (%seen, %events, %visitors, %did);

    for my $request (@shop) {
        my $client = $request->{client};
        my $event = event_of($request);

        $seen{$client}++ if $request->{method} =~ /^(?:GET|POST)$/
            && is_page($request);
        next unless defined $event && $seen{$client};
        $events{$event}++;
        $visitors{$event}++ unless $did{$client}{$event}++;
    }

    return (scalar keys %seen, \%events, \%visitors);
}


sub basket_is_found
{
    my ($visitors, $events, $event_visitors) = count_shop();
    my $variants = $t->stats('/zones/shop/experiments/basket_layout')
        ->{variants};
    my (%events, %visitors);
    my ($total, $open) = (0, 0);

    for my $variant (values %$variants) {
        my $funnel = $variant->{funnels}{checkout};

        $total += $variant->{visitors};
        $open += $funnel->{carts}{open};
        for my $step (grep { $_->{events} } @{ $funnel->{steps} }) {
            $events{$step->{event}} += $step->{events};
            $visitors{$step->{event}} += $step->{visitors};
        }
    }

    is_deeply({ map { $_ => $events->{$_} } qw(add_to_cart begin_checkout
        add_shipping_info add_payment_info) }, { add_to_cart => 2,
        begin_checkout => 3, add_shipping_info => 2, add_payment_info => 1 },
        'shop: the log holds the two baskets');
    is($total, $visitors, 'shop: visitors');
    is_deeply(\%events, $events, 'shop: events of the steps');
    is_deeply(\%visitors, $event_visitors, 'shop: visitors of the steps');
    is($open, 2, 'shop: both carts are open');

    return;
}


sub hostile_is_served_alike
{
    my @with = replay($t, \@hostile);
    my @without = replay($control, \@hostile);
    my @differ = differences(\@with, \@without, \@hostile);
    my @broken = grep { !$_->{method} } @hostile;

    cmp_ok(scalar @broken, '>', 20, 'hostile: there are broken requests');
    is(scalar @differ, 0, 'hostile: answered as without the module')
        or diag join "\n", @differ[0 .. ($#differ < 4 ? $#differ : 4)];

    return;
}


sub stats_are_still_whole
{
    my $zone = $t->stats('/zones/shop');

    is_deeply([ @{ $zone->{visitors} }{qw(evicted contended_drop)} ],
        [ 0, 0 ], 'no visitor was lost');
    is($zone->{discarded}{bad_event}, 0, 'no event was misunderstood');

    return;
}
