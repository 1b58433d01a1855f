#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What one client request leaves behind, whatever way it takes through nginx:
# one visitor, one variant, one exposure, each event once, subrequests
# nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;

my $filter = filter_module();

my $t = Ux::nginx(
    backends => { APP => \&application },
    globals => $filter ? "load_module $filter;\n" : '',
    files => {
        'dir/index.html' => 'an index',
        'try/there.html' => 'a file',
        'file/page.html' => 'x' x 1000,
        'file/broken.xml' => '<p>not closed',
        'file/broken.jpg' => 'no picture',
        'control/static/page.html' => 'static control',
        'ssi/page.html' => join('|',
            map { qq{<!--#include virtual="/sub/s$_" -->} } 1 .. 3),
        'addition/page.html' => 'body|',
    },
    conf => configuration())->start;

redirects();
first_location_decides();
subrequests();
header_filters_run_twice();

$t->no_alerts;

done_testing();


sub configuration
{
    my $conf = <<'CONF';
ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

ux_zone other 4m;

ux_experiment banner zone=other {
    variant plain 50;
    variant blue  50;
    goal purchase;
}

server {
    listen 127.0.0.1:%%PORT%%;

    ux_visitor_key $http_x_user;
    add_header X-Told $ux_variants always;
    add_header X-Visitor $ux_visitor always;
    proxy_intercept_errors on;

    # the upstream answers by the last part of the path
    location /app/ { ux_expose layout; proxy_pass http://%%APP%%; }

    location /loop/ {
        ux_expose layout;
        ux_event  add_to_cart;
        rewrite   ^/loop/a(.*)$ /loop/$1 last;
        proxy_pass http://%%APP%%;
    }

    location /there/ {
        ux_expose layout;
        ux_event  add_to_cart;
        rewrite   ^/there/a(.*)$ /back/$1 last;
        proxy_pass http://%%APP%%;
    }

    location /back/ {
        ux_event  view_item;
        rewrite   ^/back/(.*)$ /there/$1 last;
    }

    location = /chain/1 {
        ux_expose layout;
        ux_event  view_item;
        ux_event  add_to_cart if=$arg_yes;
        rewrite   ^ /chain/2 last;
    }

    location = /chain/2 {
        ux_event   view_item;
        proxy_pass http://%%APP%%;
    }

    location /try/ {
        ux_expose layout;
        ux_event  view_item;
        try_files $uri @try;
    }

    location @try {
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
    }

    location /tryuri/ { ux_expose layout; try_files $uri /app/tried; }

    location /dir/ {
        ux_expose layout;
        ux_event  view_item;
        index     index.html;
    }

    location /missing/ {
        ux_expose  layout;
        ux_event   view_item status=404;
        ux_event   refund status=2xx value=1;
        error_page 404 /errors/not_found;
        root       %%DIR%%/nowhere;
    }

    location /missing_named/ {
        ux_expose  layout;
        error_page 404 = @try;
        root       %%DIR%%/nowhere;
    }

    location /errors/ {
        ux_expose  layout;
        ux_event   begin_checkout status=404;
        proxy_pass http://%%APP%%;
    }

    location /form/ {
        ux_expose  layout;
        ux_event   begin_checkout method=POST;
        ux_event   view_item method=GET;
        error_page 500 =200 /sorry/;
        proxy_pass http://%%APP%%/;
    }

    location /sorry/ {
        ux_event   add_payment_info method=POST;
        ux_event   add_shipping_info method=GET;
        proxy_pass http://%%APP%%;
    }

    location /accel/ {
        ux_expose  layout;
        proxy_pass http://%%APP%%;
    }

    location /protected/ {
        internal;
        ux_expose layout;
        ux_event  view_item;
        root      %%DIR%%/html/control;
        rewrite   ^/protected/(.*)$ /static/$1 break;
    }

    location /off/ {
        ux_expose off;
        rewrite   ^ /app/ok last;
    }

    location /none/ { rewrite ^ /app/ok last; }

    location /zones/ {
        set     $early $ux_visitor;
        rewrite ^ /banner/ok last;
    }

    location /banner/ {
        ux_expose  banner;
        proxy_pass http://%%APP%%/app/;
    }

    location /keys/ {
        ux_visitor_key $http_x_user;
        ux_expose layout;
        rewrite ^ /otherkey/ok last;
    }

    location /otherkey/ {
        ux_visitor_key $http_x_other_user;
        ux_expose      layout;
        proxy_pass     http://%%APP%%/app/;
    }

    # subrequests
    location /ssi/      { ux_expose layout; ssi on; ssi_types *; }
    location /addition/ {
        ux_expose      layout;
        addition_types *;
        add_after_body /sub/after;
    }

    location /sub/ {
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_set_header X-Seen $ux_visitor/$ux_variant_layout;
        proxy_pass http://%%APP%%/app/;
    }

    location /auth/ {
        auth_request     /check;
        auth_request_set $login $upstream_http_x_login;
        ux_visitor_key   $login;
        ux_expose        layout;
        proxy_pass       http://%%APP%%/app/;
    }

    location = /check {
        internal;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
        proxy_set_header X-Path $request_uri;
    }

    location /slice/ {
        ux_expose  layout;
        ux_event   view_item;
        slice      100;
        proxy_set_header Range $slice_range;
        proxy_pass http://%%APP%%;
    }

    location /mirrored/ {
        ux_expose  layout;
        ux_event   view_item;
        mirror     /mirror;
        proxy_pass http://%%APP%%/app/;
    }

    location = /mirror {
        internal;
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
    }

    location /file/ {
        ux_expose layout;
        ux_event  view_item;
        root      %%DIR%%/html;
    }

    location /early/ {
        ux_expose  layout;
        set        $early $ux_visitor;
        add_header X-Early $early always;
        alias      %%DIR%%/html/file/;
    }

    location /file_again/ {
        ux_expose  layout;
        ux_event   view_item;
        alias      %%DIR%%/html/file/;
        error_page 416 = /errors/range;
    }

%%FILTER%%

    location /uxstats { ux_stats; }
}
CONF

    $conf =~ s/%%FILTER%%/filter_location()/e;

    return $conf;
}


# By the last part of the path.  The header that says which variant is told
# comes back in the body.
sub application
{
    my ($request) = @_;

    my ($word) = $request->{uri} =~ m{([^/?]*)(?:\?.*)?$};
    my $variant = join '+', $request->values('X-UX-Variant');
    my @seen = $request->values('X-Seen');

    return (200, [ 'X-Login' => ($request->values('X-Path'))[0] ], 'yes')
        if $word eq 'check';
    return (500, [], 'fault') if $word eq 'fault';
    return (200, [ 'X-Accel-Redirect' => '/protected/page.html',
        'X-UX-Event' => 'add_to_cart' ], '') if $word eq 'send';
    return (204, [], '') if $word eq '204';
    return (304, [], '') if $word eq '304';
    return _slice($request) if $request->{uri} =~ m{^/slice/};

    return (200, [], "variant=$variant" . (@seen ? " seen=@seen" : '')
        . " uri=$request->{uri}");
}


sub _slice
{
    my ($request) = @_;

    my ($from, $to) = ($request->values('Range'))[0] =~ /(\d+)-(\d+)/;
    $to = 449 if $to > 449;

    return (206, [ 'Content-Range' => "bytes $from-$to/450",
        'ETag' => '"one"' ], 'x' x ($to - $from + 1));
}


# A module whose header filter may turn an answer into an error.
sub filter_module
{
    for my $dir (grep { defined } $ENV{TEST_NGINX_MODULES},
        '/usr/lib/nginx/modules', '/usr/local/lib/nginx/modules')
    {
        for my $name (qw(image_filter xslt_filter)) {
            my $path = "$dir/ngx_http_${name}_module.so";
            return $path if -f $path;
        }
    }

    return undef;
}


sub filter_location
{
    return '' unless $filter;

    my ($directive, $file) = $filter =~ /image/
        ? ('image_filter test;', 'broken.jpg')
        : ('xslt_stylesheet %%DIR%%/html/file/broken.xml;', 'broken.xml');

    return <<"CONF";
    location = /filtered {
        ux_expose layout;
        ux_event  view_item;
        ux_event  add_to_cart status=4xx,5xx;
        $directive
        alias     %%DIR%%/html/file/$file;
        error_page 415 500 \@filtered;
    }

    location = /given_up {
        ux_expose layout;
        ux_event  view_item;
        ux_event  add_to_cart status=4xx,5xx;
        $directive
        alias     %%DIR%%/html/file/$file;
    }

    location \@filtered {
        ux_expose  layout;
        ux_event   begin_checkout;
        return     200 "an error";
    }
CONF
}


sub redirects
{
    $t->one_request('rewrite last, ten times into one location',
        '/loop/aaaaaaaaaa', 200, 'events.add_to_cart 1, visitors 1',
        told => 1);
    $t->one_request('and by way of another one', '/there/aaa', 200,
        'events.add_to_cart 1, events.view_item 1, visitors 1', told => 1);
    $t->one_request('each directive once, those of every location',
        '/chain/1?yes=1', 200,
        'events.add_to_cart 1, events.view_item 2, visitors 1', told => 1);
    $t->one_request('if= is looked at when the answer is there',
        '/chain/1?yes=0', 200, 'events.view_item 2, visitors 1', told => 1);
    $t->one_request('try_files finds it', '/try/there.html', 200,
        'events.view_item 1, visitors 1');
    $t->one_request('try_files into a named location', '/try/not', 200,
        'events.add_to_cart 1, events.view_item 1, visitors 1', told => 1);
    $t->one_request('try_files into another location', '/tryuri/not', 200,
        'visitors 1', told => 1);
    $t->one_request('index', '/dir/', 200, 'events.view_item 1, visitors 1');
    $t->one_request('error_page', '/missing/x', 404,
        'events.begin_checkout 1, events.view_item 1, visitors 1', told => 1);
    $t->one_request('error_page into a named location', '/missing_named/x',
        200, 'events.add_to_cart 1, visitors 1', told => 1);
    $t->one_request('a POST turned into a GET by error_page stays a POST', '',
        200, 'events.add_payment_info 1, events.begin_checkout 1, '
        . 'visitors 1', told => 2, send => sub {
            $t->post('/form/fault', 'a=b', 'X-User' => $_[0],
                Accept => 'text/html') });
    $t->one_request('X-Accel-Redirect', '/accel/send', 200,
        'events.add_to_cart 1, events.view_item 1, visitors 1', told => 1);

    is($t->backend('APP')->last_request->{method}, 'GET',
        'X-Accel-Redirect: the upstream got the request');

    return;
}


sub first_location_decides
{
    my $response = $t->one_request('the first ux_expose decides, off included',
        '/off/x', 200, '');
    like($response->body, qr/^variant= /, 'off: no variant for the upstream');

    $response = $t->one_request('a location with no ux_expose does not decide',
        '/none/x', 200, 'visitors 1');
    like($response->body, qr/^variant=layout=/, 'no ux_expose: a variant');

    $t->one_request('a visitor read early, exposed in another zone',
        '/zones/x', 200, 'other.visitors 1');
    is($t->backend('APP')->requests, 1, 'another zone: asked once');
    like($t->backend('APP')->last_request->value('X-UX-Variant'),
        qr/^banner=(?:plain|blue)$/, 'another zone: its variant');

    my $user = Ux::newcomer();
    $response = $t->navigate('/keys/x', 'X-User' => $user,
        'X-Other-User' => Ux::newcomer());
    is($response->header('X-Visitor'), $user,
        'the key of the location that decides');

    return;
}


sub subrequests
{
    my $response = $t->one_request('SSI', '/ssi/page.html', 200, 'visitors 1',
        told => 3);
    subrequests_agree('SSI', $response, 3);

    $response = $t->one_request('addition', '/addition/page.html', 200,
        'visitors 1', told => 1);
    subrequests_agree('addition', $response, 1);

    my $user = Ux::newcomer();
    is($t->changes(sub { $response = $t->navigate("/auth/$user") }),
        'visitors 1', 'auth_request: the main request only');
    is($response->header('X-Visitor'), "/auth/$user",
        'auth_request: its answer may name the visitor');
    like($response->body, qr/^variant=layout=\w+ uri=/,
        'auth_request: the application is told the variant');

    $response = $t->one_request('slice', '/slice/x', 200,
        'events.view_item 1, visitors 1', told => 5);
    is(length $response->body, 450, 'slice: the whole of it');

    $t->one_request('mirror', '/mirrored/x', 200,
        'events.view_item 1, visitors 1', told => 2);

    return;
}


# Variables in subrequests are those of the main request.
sub subrequests_agree
{
    my ($name, $response, $n) = @_;

    my $visitor = $response->header('X-Visitor');
    my ($variant) = $response->header('X-Told') =~ /=(\w+)/;
    my @seen = $response->body =~ /seen=(\S+)/g;

    is_deeply(\@seen, [ ("$visitor/$variant") x $n ],
        "$name: variables of the main request in each");

    return;
}


# An answer that a filter refuses is sent once more, as an error.
sub header_filters_run_twice
{
    my @range = (headers => [ Range => 'bytes=5000-' ]);

    $t->one_request('416 after our filter', '/file/page.html', 416,
        'events.view_item 1, visitors 1', @range);
    $t->one_request('416, with error_page', '/file_again/page.html', 416,
        'events.view_item 1, visitors 1', @range, told => 1);
    $t->one_request('412, by filter_finalize before our filter',
        '/file/page.html', 412, 'visitors 1',
        headers => [ 'If-Match' => '"never"' ]);

    for my $path ('/file/page.html', '/file_again/page.html') {
        my $response = $t->navigate($path, Range => 'bytes=5000-');
        is(scalar(my @cookies = $response->headers('Set-Cookie')), 1,
            "$path: one Set-Cookie");
    }

    my $early = $t->navigate('/early/page.html', 'If-Match' => '"never"');
    is($early->status, 412, 'filter_finalize: 412');
    is(($early->set_cookie('ux') =~ /^1\.(\w+)/)[0],
        $early->header('X-Early'),
        'filter_finalize: the visitor that was made before');

    SKIP: {
        skip 'no image_filter or xslt module of nginx here', 5 unless $filter;

        # the events are those of the answer that was given up
        $t->one_request('filter_finalize', '/filtered',
            $filter =~ /image/ ? 415 : 500,
            'events.view_item 1, visitors 1');
        $t->one_request('filter_finalize without error_page', '/given_up',
            $filter =~ /image/ ? 415 : 500,
            'events.view_item 1, visitors 1');
        my $response = $t->navigate('/filtered');
        is(scalar(my @cookies = $response->headers('Set-Cookie')), 1,
            'filter_finalize: one Set-Cookie');
    }

    return;
}
