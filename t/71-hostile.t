#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Whatever arrives, from clients or from the application, the site answers
# with the status that nginx without the module gives, and nothing happens to
# the workers.
#
# Requests are built from a grammar of right and wrong parts around a
# configuration that uses everything (cookies, keys, events of locations and
# of the upstream, internal redirects of every kind, a cache, subrequests),
# then damaged byte by byte; to them come the broken requests of a recorded
# log.  Two servers get each: one with the module, one with the same lines but
# ours.  Where they differ the request is sent to both again, since timeouts
# and cache fills depend on the moment: what differs three times differs.
#
# TEST_UX_HOSTILE_SEED repeats a run, TEST_UX_HOSTILE_REQUESTS sets its length.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes ();
use UxTest;

use constant CLIENTS => 10;


my $seed = $ENV{TEST_UX_HOSTILE_SEED} || 20260131;
my $requests = $ENV{TEST_UX_HOSTILE_REQUESTS} || 7200;
my $log = Ux::data('advertools_nginx_log/nginx_access.log');

my $conf = <<'CONF';
underscores_in_headers on;
ignore_invalid_headers off;
large_client_header_buffers 4 8k;
client_max_body_size 32k;
client_header_timeout 150ms;
client_body_timeout 150ms;
keepalive_timeout 150ms;
lingering_timeout 150ms;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

ux_zone shop 2m;
ux_zone second 512k;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    metric nps type=mean;
}

ux_experiment banner zone=second {
    variant off 1;
    variant on  3;
    traffic 50%;
    sticky off;
}

ux_funnel checkout {
    step view_item optional;
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}

map $arg_if $holds { default $arg_if; "" 1; }

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose layout;
    proxy_intercept_errors off;
    proxy_set_header X-Status $http_x_status;
    add_header X-Told "$ux_visitor $ux_variants" always;
    add_header X-Told "$ux_reason_banner $ux_events $ux_bot" always;
    recursive_error_pages on;

    location / { proxy_pass http://127.0.0.1:%%PORT_APP%%; }
    location /static/ { try_files $uri /page.html; }
    location /return { return 302 /elsewhere; }
    location /last { rewrite ^ /static/page.html last; }
    location /break/ { rewrite ^/break(.*) $1 break; root %%DIR%%/html; }
    location /key {
        ux_visitor_key $http_x_user;
        ux_event add_to_cart value=$arg_value currency=$arg_currency
            id=$arg_id;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /any {
        ux_expose banner requests=any;
        ux_header X-Shop-Variant;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /event {
        ux_event purchase value=$arg_value currency=$arg_currency id=$arg_id;
        ux_event refund value=$arg_refund id=$http_x_id if=$holds;
        ux_event view_item method=GET,HEAD status=2xx,404;
        ux_event nps value=$http_x_value status=100-599;
        return 204;
    }
    location /post {
        ux_event begin_checkout method=POST;
        client_body_in_single_buffer on;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /errors {
        ux_event add_payment_info status=500;
        proxy_intercept_errors on;
        error_page 400 404 = /static/page.html;
        error_page 500 502 503 @failed;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location @failed {
        ux_event view_item status=5xx;
        proxy_intercept_errors off;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /named { try_files /nothing @named; }
    location @named { proxy_pass http://127.0.0.1:%%PORT_APP%%; }
    location /auth {
        auth_request /allowed;
        ux_event add_shipping_info;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location = /allowed {
        internal;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-Status $http_x_auth;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /cached {
        proxy_cache cache;
        proxy_cache_key "$request_uri $http_x_status $http_x_say
            $http_x_say_too $http_x_accel $ux_variants";
        proxy_cache_valid any 1m;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /ssi { ssi on; ssi_types *; try_files /ssi.html =404; }
    location /mirror {
        mirror /mirrored;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location = /mirrored {
        internal;
        ux_event view_item;
        proxy_pass http://127.0.0.1:%%PORT_APP%%;
    }
    location /down { proxy_pass http://127.0.0.1:%%PORT_DOWN%%; }
    location /off { ux_expose off; return 200 "off"; }
    location /444 { ux_event view_item; return 444; }
    location /uxstats { ux_stats; }

    error_page 405 414 494 /static/page.html;
}

server {
    listen 127.0.0.1:%%PORT_APP%%;
    add_header X-UX-Event $http_x_say always;
    add_header x-ux-event $http_x_say_too always;
    add_header X-Accel-Redirect $http_x_accel always;
    error_page 405 =200 @fine;
    location @fine { return 200 "fine"; }

    location / {
        if ($http_x_status = 204) { return 204; }
        if ($http_x_status = 302) { return 302 /elsewhere; }
        if ($http_x_status = 304) { return 304; }
        if ($http_x_status = 400) { return 400; }
        if ($http_x_status = 401) { return 401; }
        if ($http_x_status = 403) { return 403; }
        if ($http_x_status = 404) { return 404; }
        if ($http_x_status = 500) { return 500 "failed"; }
        if ($http_x_status = 503) { return 503; }
        if ($http_x_status = 444) { return 444; }
        return 200 "fine";
    }
}
CONF

my %files = ('page.html' => '<p>page</p>', 'ssi.html' =>
    '<!--#include virtual="/any" --><!--#include virtual="/event" -->x');

my $t = Ux::nginx(workers => 2, conf => $conf, files => \%files)->start;
my $control = Ux::nginx(workers => 2, conf => without_ux($conf),
    files => \%files)->start;
my @workers = sort $t->workers;

srand($seed);
diag("seed $seed, $requests requests");

my @recorded = recorded_requests();
my @cookies = real_cookies();
my @requests = ((map { "$_\r\n\r\n" } @recorded),
    map { any_request() } 1 .. $requests);

answers_are_alike();
workers_are_unharmed();
statistics_are_whole();

$t->no_alerts('no alerts');
$control->no_alerts('no alerts of the control');

done_testing();


# The configuration of a server that has never heard of the module.
sub without_ux
{
    my ($text) = @_;

    $text =~ s/^    location \/uxstats .*\n//mg;
    $text =~ s/^ux_(?:experiment|funnel) .*?^\}\n//msg;
    $text =~ s/\$ux_\w+//g;
    $text =~ s/\bux_\w+ [^;{]*;//g;

    return $text;
}


# The broken requests of a log, and their neighbours; nginx writes quotes and
# bytes beyond ASCII as \xHH.
sub recorded_requests
{
    open my $in, '<', $log or return ();

    my @lines;
    while (my $line = <$in>) {
        my ($request) = $line =~ /"((?:[^"\\]|\\.)*)"/ or next;
        next if $request =~ m{^\w+ /\S* HTTP/1\.[01]$} && @lines > 100;
        $request =~ s/\\x([0-9A-F]{2})/chr hex $1/ge;
        push @lines, $request;
    }

    return @lines;
}


# As the server gives them to browsers; half of them are known, too.
sub real_cookies
{
    return map {
        my $browser = $t->browser;
        my $cookie = $browser->go('/')->set_cookie('ux');
        $browser->go('/key?value=1') if $_ % 2;
        "ux=$cookie";
    } 1 .. 20;
}


sub pick { return $_[rand @_] }


# Half of the requests are HTTP that nginx takes, so that what they say gets
# as far as the module; the others are wild.
my $wild;

# Bytes that parsers stumble over.
sub noise
{
    my ($max) = @_;

    return join '', map {
        rand() < 0.5 ? chr(33 + int rand 94) : pick("\t", "\x80", "\xff",
            '"', '\\', ';', ',', '=', '%', ' ', '%20', '%0d%0a', "\xc3\x28",
            $wild ? ("\x00", "\x7f", '%00', chr int rand 256)
            : chr(128 + int rand 128))
    } 1 .. 1 + rand $max;
}


sub number
{
    return pick('0', '1', '49.90', '-1', '1e9', '1e999', 'nan', '0x10', '.',
        '1.', '.5', '00012', '1,5', ' 7 ', '9' x 13, '9' x 400, '1.005',
        '0.' . '0' x 300 . '1', '', noise(10), '+3', '1000000000000',
        '10000000000.01', "1\x00");
}


sub currency { return pick('EUR', 'USD', 'JPY', 'eur', 'XXX', '', noise(5)) }


sub id { return pick('o-1', '', 'x' x 3000, noise(40), '"', '0', '%22') }


# The application's header: a list of events, or what looks like one.
sub say
{
    my @events = map {
        my $event = pick('purchase', 'add_to_cart', 'refund', 'nps',
            'nothing_known', 'Purchase', '*', '', noise(8), 'view_item',
            'x' x 70, '"purchase"', '(purchase)');
        for (1 .. rand 4) {
            $event .= pick(';', '; ', ';;', ' ;') . pick('value', 'currency',
                'id', 'x', '*', '', 'VALUE', noise(3)) . pick('=', '=', '=',
                '', ' = ', '==') . pick(number(), currency(),
                '"' . id() . '"', id(), '?1', ':YQ==:', '"\\"', '"unended');
        }
        $event;
    } 1 .. pick(1, 1, 1, 2, 3, 40);

    return substr join(pick(',', ', ', ',,', ' '), @events), 0, 6000;
}


sub cookie
{
    my $real = pick(@cookies);
    my ($id) = $real =~ /=1\.(\w+)/;
    my ($mac) = $real =~ /(\w+)$/;
    my $damaged = $real;

    substr $damaged, rand length $damaged, pick(0, 1, 1, 2),
        pick('', noise(2), 'A', '0');

    return pick($real, $real, $damaged, $damaged, substr($real, 0,
        rand length $real), "$real.", uc $real, "ux=$real", 'ux=', 'ux',
        'ux==', 'xux=1', "ux=1.$id.0.$mac", "ux=1.$id.99999999999999.$mac",
        "ux=2.$id.20000.$mac", "ux=1.$id.-1.$mac", 'ux="' . substr($real, 3)
        . '"', 'ux=' . '1' x 5000, 'ux=' . noise(60), '; ; ;', noise(80),
        "$damaged; $real", "$real; $damaged", join('; ', ($damaged) x 200),
        join('; ', map { "c$_=$_" } 1 .. 100) . "; $real");
}


sub path
{
    my $path = pick(qw(/ /static/page.html /static/none /return /last
        /break/page.html /key /key /key /any /any /event /event /post /errors
        /errors /named /auth /auth /cached /cached /ssi /mirror /down /off
        /444 /allowed /mirrored /none));

    $path .= '?' . join pick('&', ';'), map {
        pick('value=' . number(), 'currency=' . currency(), 'id=' . id(),
            'refund=' . number(), 'if=' . pick(0, 1, ''), noise(10))
    } 1 .. rand 4 if rand() < 0.4;
    $path .= ($path =~ /\?/ ? '&' : '?') . 'value=1.50&id=o-1'
        if rand() < 0.3;

    $path =~ s/([\x00-\x20\x7f])/sprintf '%%%02x', ord $1/ge
        if !$wild || rand() < 0.8;

    return $wild ? damaged($path) : $path;
}


sub damaged
{
    my ($path) = @_;

    return pick(($path) x 14, "/..$path", "//$path", "http://h.example$path",
        '*', '', substr($path, 1), $path . noise(20), $path . 'x' x 9000,
        "$path#x", "/%2e%2e$path", "\\$path");
}


sub header
{
    return pick(
        (sub { 'Cookie: ' . cookie() }) x 6,
        (sub { 'X-User: ' . pick(('u1') x 5, 'u2', '', 'k' x 5000, noise(50),
            "0" x 32) }) x 3,
        (sub { 'X-Say: ' . say() }) x 4,
        sub { 'X-Say-Too: ' . say() },
        (sub { 'X-Status: ' . pick(200, 204, 302, 304, 400, 401, 403, 404,
            500, 503, 444, noise(3)) }) x 3,
        sub { 'X-Auth: ' . pick(200, 401, 403, 500, 204) },
        sub { 'X-Accel: ' . pick('/static/page.html', '/event?value=3',
            '/any', '@named', '/none', '/uxno', noise(10)) },
        sub { 'X-Value: ' . number() },
        sub { 'X-Id: ' . id() },
        (sub { pick('X-UX-Variant', 'x_ux_variant', 'X-UX.VARIANT',
            'X-Shop-Variant', 'X-UX-Event', 'X-UX-Variant ') . ': '
            . pick('layout=one_page', noise(30), '') }) x 2,
        (sub { 'Accept: ' . pick('text/html', '*/*', 'text/htm', '',
            noise(20)) }) x 4,
        sub { pick('Sec-Fetch-Dest', 'Sec-Fetch-Site', 'Sec-Purpose',
            'Purpose', 'Origin') . ': ' . pick('document', 'iframe', 'empty',
            'cross-site', 'same-origin', 'prefetch;prerender', 'null',
            'https://evil.example', 'http:/', '/', noise(10)) },
        (sub { 'User-Agent: ' . pick($Ux::Connection::BROWSER, '', 'curl/8',
            'Googlebot/2.1', 'A' x 6000, noise(60)) }) x 3,
        $wild ? wild_headers() : (),
    )->();
}


sub wild_headers
{
    return (
        sub { pick('Range: bytes=0-1', 'If-None-Match: *', 'Expect: '
            . '100-continue', 'Connection: Upgrade', 'Upgrade: h2c',
            'If-Modified-Since: x', 'Transfer-Encoding: gzip',
            'Content-Length: x', 'Content-Length: 3', 'Host: ',
            'Host: two.example', 'TE: trailers') },
        sub { noise(20) . pick(': ', ':', '') . noise(20) },
        sub { ' folded ' . noise(10) },
        sub { 'X-' . 'N' x 300 . ': x' },
    );
}


sub body
{
    return ("Content-Length: 5\r\n", 'hello') if rand() < 0.5;
    return ("Content-Length: 50000\r\n", 'x' x 5000) if rand() < 0.3;

    return ("Transfer-Encoding: chunked\r\n", pick("5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhel", "zz\r\n", "0\r\n\r\n", "ffffffffffffffffff\r\nx",
        "1;a=b\r\nx\r\n0\r\nX-UX-Variant: layout=forged\r\n\r\n"));
}


sub one_request
{
    my ($last) = @_;

    $wild = rand() < 0.5;

    my $method = pick(('GET') x 12, ('POST') x 5, ('HEAD') x 3, qw(PUT
        OPTIONS DELETE PATCH), $wild ? (qw(PROPFIND TRACE CONNECT get G), '',
        "G\x00T") : ());
    my $version = $wild ? pick((' HTTP/1.1') x 6, ' HTTP/1.0', '',
        ' HTTP/2.0', ' HTTP/9.9', ' HTTP/1.1x', '  HTTP/1.1', ' http/1.1')
        : ' HTTP/1.1';
    my $end = rand() < 0.03 ? "\n" : "\r\n";
    my @headers = map { header() } 1 .. pick(0, 1, 2, 3, 4, 6, 9, 30);
    my ($length, $body) = $method =~ /^(?:POST|PUT|PATCH)$/ || rand() < 0.05
        ? body() : ('', '');

    unshift @headers, 'Host: localhost' if !$wild || rand() < 0.95;
    unshift @headers, 'Accept: text/html' if rand() < 0.6;
    unshift @headers, "User-Agent: $Ux::Connection::BROWSER"
        if rand() < 0.7;
    unshift @headers, 'Connection: close' if $last && rand() < 0.95;

    return join($end, $method . ' ' . path() . $version, @headers)
        . "$end$length$end$body";
}


sub any_request
{
    my $text = rand() < 0.1
        ? join '', map({ one_request(0) } 1 .. 3), one_request(1)
        : one_request(1);

    if (rand() < 0.15) {
        for (1 .. 1 + rand 4) {
            substr $text, rand length $text, pick(0, 1, 1, 5),
                pick('', noise(4), "\r\n", "\n", "\x00", chr int rand 256);
        }
    }

    $text = substr $text, 0, rand length $text if rand() < 0.04;
    $text = pick(@recorded) . substr $text, rand length $text
        if @recorded && rand() < 0.02;

    return $text;
}


# Statuses of all answers on a connection of its own, until the server closes
# it; 'bare': bytes without a status line.
sub answers
{
    my ($nginx, $text) = @_;

    local $SIG{PIPE} = 'IGNORE';

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $nginx->port, Proto => 'tcp') or return 'refused';
    my $select = IO::Select->new($socket);
    my $answer = '';

    syswrite $socket, $text;
    while (1) {
        return 'hung' unless $select->can_read(5);
        last unless sysread $socket, $answer, 65536, length $answer;
    }

    my @statuses = $answer =~ m{HTTP/1\.[01] (\d{3})}g;
    push @statuses, 'bare' if !@statuses && $answer ne '';

    return (join(' ', @statuses), $answer);
}


# What of a faulty answer to see; '' when it is right.
sub fault
{
    my ($text) = @_;

    my ($with, $without, $answer);

    for my $try (1 .. 3) {
        ($with, $answer) = answers($t, $text);
        ($without) = answers($control, $text);
        last if $with eq $without;
        Time::HiRes::sleep(0.05 * $try);
    }

    $answer = '' unless defined $answer;
    my $answered = () = $answer =~ m{HTTP/1\.[01] \d{3}}g;
    my $minted = () = $answer =~ /^Set-Cookie: ux=/mgi;

    return "with '$with', without '$without'" if $with ne $without;
    return 'hung' if $with eq 'hung';
    return 'X-UX-Event reached the client' if $answer =~ /^X-UX-Event:/mi;
    return "$minted cookies in $answered answers" if $minted > $answered;

    return '';
}


sub answers_are_alike
{
    my @parts = Ux::parallel(CLIENTS, sub {
        my ($client) = @_;
        my @faults;

        for (my $i = $client; $i < @requests; $i += CLIENTS) {
            my $fault = fault($requests[$i]);
            push @faults, [ $i, $fault ] if $fault ne '';
        }

        return \@faults;
    });
    my @faults = map { @$_ } @parts;

    is(scalar @faults, 0, 'every answer is as without the module');
    for my $fault (@faults[0 .. ($#faults < 4 ? $#faults : 4)]) {
        my $text = substr $requests[$fault->[0]], 0, 1500;
        $text =~ s/([^\x20-\x7e\n])/sprintf '\\x%02x', ord $1/ge;
        diag("request $fault->[0]: $fault->[1]\n$text");
    }

    return;
}


sub workers_are_unharmed
{
    is_deeply([ sort $t->workers ], \@workers,
        'the workers are those of the start');

    # sanitizers take memory of their own
    for my $worker ($ENV{TEST_NGINX_PRELOAD} ? () : @workers) {
        my ($pages) = Ux::_read("/proc/$worker/statm") =~ /^\d+ (\d+)/;
        cmp_ok($pages || 0, '<', 16384, 'no worker has grown beyond 64 MB');
    }

    unlike($t->error_log, qr/could be minted|out of memory|without counting
        |not sent/x, 'no fault of ours is logged');

    return;
}


# What was right in all of that is counted, and nothing else.
sub statistics_are_whole
{
    my $response = $t->get('/uxstats');
    my $zone = eval { $response->json->{zones}{shop} };

    ok($zone, 'the statistics are JSON') or return;
    cmp_ok($zone->{http}{requests}, '>', $requests / 2,
        'requests are counted');
    cmp_ok($zone->{discarded}{$_}, '>', 0, "$_ is counted")
        for qw(bot prefetch head bad_cookie bad_event unknown_event
        duplicate);
    cmp_ok($zone->{events}{$_}, '>', 0, "right events of $_ are counted")
        for qw(purchase add_to_cart view_item nps);

    my ($assigned, $visitors) = (0, 0);
    for my $variant (values %{ $zone->{experiments}{layout}{variants} }) {
        $assigned += $variant->{assigned};
        $visitors += $variant->{visitors};
        cmp_ok($variant->{visitors}, '<=', $variant->{assigned},
            'visitors were assigned');
        cmp_ok($_->{visitors}, '<=', $variant->{visitors},
            'no more did something than there are')
            for values %{ $variant->{metrics} };
    }
    cmp_ok($assigned, '>', 0, 'visitors are assigned');
    my @wrong = grep { $response->body =~ /$_/ } 'nothing_known', 'k' x 50,
        'u1"', '[0-9a-f]{32}', 'Googlebot', 'example';
    is_deeply(\@wrong, [], 'nothing of the requests is in them');

    return;
}
