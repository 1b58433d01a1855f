#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Every file of conf-examples/ passes `nginx -t` as it is and serves a real
# visitor; README and source name the same directives and variables, and the
# README's configuration passes `nginx -t`.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my $root = Ux::root();
my $readme = Ux::_read("$root/README.md");

# What a visitor of each example sees.  Every file must be listed.
my %try = (
    'minimal.conf'         => \&try_minimal,
    'shop.conf'            => \&try_shop,
    'fastcgi.conf'         => \&try_fastcgi,
    'api-key.conf'         => \&try_api_key,
    'static-variants.conf' => \&try_static_variants,
    'proxy-cache.conf'     => \&try_proxy_cache,
    'cdn.conf'             => \&try_cdn,
    'script.conf'          => \&try_script,
    'segments.conf'        => \&try_segments,
);

# What is in folders is not nginx's: t/56-prometheus.t tries it.
my @files = map { m{([^/]+)$} } grep { -f } glob "$root/conf-examples/*";

is_deeply([ sort @files ], [ sort(keys %try, qw(ux.js ux.src.js)) ],
    'every example is tried');
the_script();

for my $file (sort keys %try) {
    subtest $file => sub {
        my $text = Ux::_read("$root/conf-examples/$file");
        my $t = example($text);
        my ($ok, $output) = $t->test_config($text);

        ok($ok, 'passes nginx -t') or diag $output;
        unlike($output, qr/\[warn\](?!.*(?:secret|key))/, 'without a warning');
        $t->start;
        $try{$file}->($t);
        $t->no_alerts;
    };
}

SKIP: {
    skip 'no README.md yet', 1 if $readme eq '';

    readme_configurations_pass();
    readme_names_the_directives();
    readme_names_the_variables();
}

done_testing();


# A server for an example: the same text with ports that are free here.
sub example
{
    my ($text) = @_;

    my $t = Ux::nginx(full => 1, conf => '', backends => {
        HTTP => \&application, FASTCGI => [ fastcgi => \&application ] });
    my $user = $> == 0 ? "user root;\n" : '';

    $text =~ s/127\.0\.0\.1:8080/127.0.0.1:%%PORT%%/g;
    $text =~ s/127\.0\.0\.1:8081/%%HTTP%%/g;
    $text =~ s/127\.0\.0\.1:9000/%%FASTCGI%%/g;
    $t->{conf} = $user . $text;

    mkdir $t->dir . '/modules';
    symlink Ux::module(), $t->dir . '/modules/ngx_http_ux_module.so'
        or die "symlink: $!";

    return $t;
}


# Shows the variant it was told; takes orders.
sub application
{
    my ($request) = @_;

    my $variants = join ' and ', $request->values('X-UX-Variant');
    my @headers = ('Content-Type' => 'text/html',
        'Vary' => 'X-UX-Variant');

    push @headers, 'X-UX-Event',
        'purchase;value=49.90;currency=EUR;id="o-' . time . '"'
        if $request->{uri} eq '/checkout/order';

    return ($request->{uri} =~ m{^/api/orders} ? 201 : 200, \@headers,
        "told: $variants");
}


sub sum_of
{
    my ($experiment, $path) = @_;

    my $sum = 0;

    for my $variant (values %{ $experiment->{variants} }) {
        my $value = $variant;
        for my $step (@$path) {
            $value = ref $value eq 'ARRAY' ? $value->[$step]
                : $value->{$step};
        }
        $sum += $value;
    }

    return $sum;
}


sub try_minimal
{
    my ($t) = @_;

    my $browser = $t->browser;

    like($browser->go('/')->body,
        qr/^told: checkout_layout=(control|one_page)$/,
        'the application is told the variant');
    $browser->go('/again');
    $browser->post('/checkout/order', 'a=1');

    my $experiment = $t->stats('/zones/shop/experiments/checkout_layout');

    is(sum_of($experiment, [ 'visitors' ]), 1, 'one visitor');
    is(sum_of($experiment, [ qw(metrics purchase visitors) ]), 1,
        'who ordered');
    is(sum_of($experiment, [ qw(metrics revenue sum) ]), 49.9, 'for 49.90');

    return;
}


sub try_shop
{
    my ($t) = @_;

    my $browser = $t->browser;

    like($browser->go('/')->body,
        qr/^told: checkout_layout=(control|one_page)$/,
        'the application is told the variant');
    $browser->asset('/static/style.css');
    $browser->go('/product/3');
    $browser->post('/cart/add', 'product=3');
    $browser->go('/checkout');
    $browser->post('/checkout/review', 'card=4');

    my $order = $browser->post('/checkout/order', 'a=1');

    is($order->header('X-UX-Event'), undef, 'the event header is taken out');

    my $experiment = $t->stats('/zones/shop/experiments/checkout_layout');

    is(sum_of($experiment, [ 'visitors' ]), 1, 'one visitor');
    for my $step (0 .. 4) {
        is(sum_of($experiment, [ 'funnels', 'checkout', 'steps', $step,
            'visitors_in_order' ]), 1, "reached step $step of the funnel");
    }
    is(sum_of($experiment, [ qw(funnels checkout carts purchased) ]), 1,
        'one cart purchased');

    shop_beacons($t, $browser->cookie('ux'));

    return;
}


# What the page says, and what the payment service says of it.
sub shop_beacons
{
    my ($t, $cookie) = @_;

    my @json = ('Content-Type' => 'application/json');
    my $visitor = (split /\./, $cookie)[1];

    is($t->post('/beacon', '{"event":"add_shipping_info"}', @json,
        Cookie => "ux=$cookie")->status, 204, 'a beacon of the page');
    is($t->post('/payments/told', '{"event":"refund","value":9.90,'
        . qq("id":"r-1","visitor":"$visitor"}), @json)->status, 204,
        'a beacon of the payment service');

    my $zone = $t->stats('/zones/shop');

    is($zone->{events}{$_}, 1, "$_: counted") for 'add_shipping_info',
        'refund';
    is(sum_of($zone->{experiments}{checkout_layout},
        [ qw(metrics revenue sum) ]), 40, 'the refund is taken off');

    return;
}


sub try_fastcgi
{
    my ($t) = @_;

    my $browser = $t->browser;

    like($browser->go('/')->body, qr/^told: banner=(control|blue)$/,
        'the application is told the variant of the banner');
    $browser->post('/cart/add', 'product=3');
    like($browser->go('/checkout')->body, qr/^told: .*banner=(control|blue)/,
        'and again at the checkout');

    is(sum_of($t->stats('/zones/shop/experiments/banner'),
        [ qw(metrics add_to_cart visitors) ]), 1, 'one visitor with a cart');

    return;
}


sub try_api_key
{
    my ($t) = @_;

    my $c = $t->connection;
    my @headers = ('X-App-User' => 'u-4711', Accept => 'application/json');
    my $answer = $c->request('GET', '/api/items/1', \@headers);

    like($answer->header('X-UX-Variant'),
        qr/^price_list=(control|plain|bundles)$/,
        'the app is told the variant');
    is($answer->header('Set-Cookie'), undef, 'and gets no cookie');
    is($answer->body, 'told: ' . $answer->header('X-UX-Variant'),
        'the application is told the same one');
    $c->request('PUT', '/api/cart', \@headers, '{}');
    $c->request('POST', '/api/orders?total=12.50&order=o-1', \@headers, '{}')
        for 1, 2;

    my $experiment = $t->stats('/zones/app/experiments/price_list');

    is(sum_of($experiment, [ 'visitors' ]), 1, 'one visitor');
    is(sum_of($experiment, [ qw(metrics revenue sum) ]), 12.5,
        'an order sent twice is one');

    return;
}


sub try_static_variants
{
    my ($t) = @_;

    my @folders = qw(control redesign);

    for my $folder (@folders) {
        $t->file("$folder/index.html", "page of $folder");
        $t->file("$folder/thank-you.html", "thanks from $folder");
    }
    $t->file('assets/a.css', 'p { }');

    my %seen;
    for (1 .. 60) {
        my $browser = $t->browser;
        my ($folder) = $browser->go('/')->body =~ /^page of (\w+)$/;
        $seen{$folder}++;
        $browser->asset('/assets/a.css');
        next if is_same($browser->go('/thank-you.html')->body, $folder);
        fail("a visitor of $folder stays there");
    }

    is_deeply([ sort keys %seen ], \@folders, 'both folders are served');

    my $experiment = $t->stats('/zones/site/experiments/landing');

    is(sum_of($experiment, [ 'visitors' ]), 60, 'all are visitors');
    is(sum_of($experiment, [ qw(metrics sign_up visitors) ]), 60,
        'all signed up');
    is($experiment->{variants}{redesign}{visitors}, $seen{redesign},
        'counted in the variant they saw');

    return;
}


# Forty visitors, two pages in the cache, and all of them counted.
sub try_proxy_cache
{
    my ($t) = @_;

    my %told;

    for (1 .. 40) {
        my $browser = $t->browser;
        my $page = $browser->go('/product/1');

        $told{ $page->body }++;
        is($browser->go('/product/1')->body, $page->body,
            'a visitor keeps its page');
        $browser->post('/cart/add', 'product=1');
    }

    is(scalar keys %told, 2, 'both pages were seen');
    is(scalar(grep { $_->{uri} eq '/product/1' } $t->backend('HTTP')
        ->requests), 2, 'and made once each');

    my $experiment = $t->stats('/zones/shop/experiments/listing');

    is(sum_of($experiment, [ 'visitors' ]), 40, 'all are visitors');
    is(sum_of($experiment, [ qw(metrics view_item visitors) ]), 40,
        'who saw the product');
    is(sum_of($experiment, [ qw(metrics add_to_cart visitors) ]), 40,
        'and put it into their carts');

    return;
}


sub try_cdn
{
    my ($t) = @_;

    my @navigation = (Accept => 'text/html');
    my $page = $t->get('/checkout', @navigation);

    like($page->header('Set-Cookie'), qr/^__Host-ux=.*; Secure/,
        'a new visitor');
    like($page->header('Cache-Control'), qr/^private\b/,
        'whose page no cache may store');
    unlike($page->header('Cache-Control'), qr/public/, 'in spite of expires');
    is($page->header('Vary'), 'Cookie', 'that varies by the cookie');

    my $asset = $t->get('/static/a.css', @navigation);

    is($asset->header('Set-Cookie'), undef, 'an asset brings no cookie');
    unlike($asset->header('Cache-Control'), qr/private/, 'and may be stored');

    return;
}


# What a browser makes of it is t/91-browser.t's.
sub try_script
{
    my ($t) = @_;

    $t->file('ux.js', Ux::_read("$root/conf-examples/ux.js"));

    my $browser = $t->browser;
    my $page = $browser->go('/');
    my $script = $browser->asset('/ux.js');
    my @json = ('Content-Type' => 'text/plain;charset=UTF-8');
    my $send = sub {
        return $t->post('/beacon', $_[0], @json,
            Cookie => 'ux=' . $browser->cookie('ux'))->status;
    };

    is($page->header('Content-Security-Policy'), "default-src 'self'",
        'a strict policy');
    is($script->header('Content-Type'), 'text/javascript', 'the script');
    is($script->body, Ux::_read("$root/conf-examples/ux.js"), 'as it is here');
    is($send->('[{"event":"form_error"},{"event":"size_chart"},'
        . '{"name":"CLS","delta":0.3,"value":0.3,"id":"0.5"}]'), 204,
        'what it sends is taken');

    my $zone = $t->stats('/zones/shop');
    my $experiment = $zone->{experiments}{checkout_layout};

    is(sum_of($experiment, [ 'visitors' ]), 1, 'one visitor');
    is(sum_of($experiment, [ qw(metrics size_chart visitors) ]), 1,
        'who clicked');
    is(sum_of($experiment, [ qw(metrics form_error visitors) ]), 1,
        'met an error in a form');
    is(sum_of($experiment, [ qw(vitals CLS poor) ]), 1,
        'and a page that jumped');

    return;
}


# Small, and what its commented form says: as "make script" makes it.
sub the_script
{
    my $text = Ux::_read("$root/conf-examples/ux.js");
    my $from = Ux::_read("$root/conf-examples/ux.src.js");
    my ($make) = Ux::_read("$root/Makefile")
        =~ /^script:.*?perl -0pe '(.*?)'/ms;

    $make =~ s/\$\$/\$/g;
    $make =~ s/\\\n\s*//g;
    $_ = $from;
    eval $make;

    is($@, '', 'the Makefile makes it');
    is($text, $_, 'ux.js is ux.src.js without comments and blanks');
    cmp_ok(length $text, '<', 1024, 'and less than 1 KB');

    return;
}


# Of each segment a value or two, as browsers would have them.
sub try_segments
{
    my ($t) = @_;

    my @requests = (
        [ 'Sec-CH-UA-Mobile' => '?1', 'CF-IPCountry' => 'DE',
            'Accept-Language' => 'de-DE,de;q=0.9' ],
        [ 'Sec-CH-UA-Mobile' => '?0', 'CF-IPCountry' => 'GB',
            'Sec-CH-Prefers-Reduced-Motion' => '"reduce"' ],
        [ 'User-Agent' => 'Mozilla/5.0 (iPad; CPU OS 16_0) Safari/604.1',
            'Sec-CH-Prefers-Reduced-Motion' => 'no-preference' ],
        [ 'User-Agent' => 'Mozilla/5.0 (Linux; Android 13; Pixel 7) Chrome/119'
            . ' Mobile Safari/537.36', 'CF-IPCountry' => 'T1',
            'Accept-Language' => 'fr' ],
        [ 'User-Agent' => 'Mozilla/5.0 (Linux; Android 13; SM-X700) '
            . 'Chrome/119 Safari/537.36', 'Accept-Language' => 'pt-BR' ],
    );

    for my $headers (@requests) {
        my $browser = $t->browser;
        $browser->go($_, @$headers) for '/', '/cart/add', '/search',
            '/search';
    }

    # whose first page is another one, and who comes back for the checkout

    my $returning = $t->browser;
    $returning->go('/search') for 1, 2;
    $returning->go('/checkout') for 1, 2;

    my $shop = $t->stats('/zones/shop/experiments/checkout_layout');
    my $search = $t->stats('/zones/search/experiments/search_box');

    my $count = sub {
        my ($experiment, $segment, $value) = @_;
        return sum_of($experiment, [ 'segments', $segment, $value,
            'visitors' ]);
    };

    is_deeply([ map { $count->($shop, 'device', $_) }
        qw(phone tablet desktop other) ], [ 2, 2, 2, 0 ], 'devices');
    is_deeply([ map { $count->($shop, 'visit', $_) } qw(new returning) ],
        [ 5, 1 ], 'new, returning');
    is_deeply([ map { $count->($shop, 'country', $_) } qw(DE UK other) ],
        [ 1, 1, 4 ], 'countries');
    is_deeply([ map { $count->($shop, 'motion', $_) } qw(reduce full unknown)
        ], [ 1, 1, 4 ], 'motion');
    is_deeply([ map { $count->($search, 'language', $_) } qw(de en fr other)
        ], [ 1, 0, 1, 4 ], 'languages');
    is(sum_of($shop, [ qw(segments device tablet funnels checkout carts
        created) ]), 2, 'carts by device');
    like($t->get('/', Accept => 'text/html')->header('Accept-CH'),
        qr/Reduced-Motion/, 'asks for hints');

    return;
}


sub is_same
{
    my ($body, $folder) = @_;

    return $body eq "thanks from $folder";
}


# Whole files as they are; anything else inside an http block.
sub readme_configurations_pass
{
    my @blocks = $readme =~ /^```nginx\n(.*?)^```/msg;
    my @whole = grep { /^\s*http \{/m } @blocks;

    cmp_ok(scalar @whole, '>=', 1, 'README: a complete configuration');

    for my $n (0 .. $#whole) {
        my ($text, $t) = ($whole[$n], example(''));
        my $temp = join '', map { "${_}_temp_path $_;\n" } grep {
            $text !~ /${_}_temp_path/ }
            qw(client_body proxy fastcgi uwsgi scgi);
        my $dir = $t->dir;

        $text =~ s/^(\s*http \{\n)/$1$temp/m;
        $text = "pid nginx.pid;\n$text" unless $text =~ /^\s*pid\s/m;
        $text = "error_log error.log;\n$text"
            unless $text =~ /^\s*error_log\s/m;

        my ($ok, $output) = $t->test_config($text);
        ok($ok, 'README: complete configuration ' . ($n + 1)
            . ' passes nginx -t') or diag $output;
    }

    return;
}


# Names in the tables of one type, from the module's source.
sub names_in_source
{
    my ($type) = @_;

    my %name;

    for my $file (glob "$root/ngx_module/*.c") {
        my $text = Ux::_read($file);
        for my $table ($text =~ /$type\s+\w+\[\]\s*=\s*\{\n(.*?)^\};/msg) {
            $name{$_} = 1 for $table =~ /ngx_string\("(ux_\w*)"\)/g;
        }
    }

    return sort keys %name;
}


# Variables of experiments: a prefix and the experiment's name.
sub prefixes_in_source
{
    my %name;

    for my $file (glob "$root/ngx_module/*.c") {
        $name{$_} = 1 for Ux::_read($file) =~ /"(ux_[a-z]+_)"/g;
    }

    return sort keys %name;
}


# A directive's entry is a heading: ### ux_zone
sub readme_names_the_directives
{
    my @source = names_in_source('ngx_command_t');
    my @headings = $readme =~ /^#{2,}\s+`?(ux_[a-z_]+)`?\s*$/mg;

    cmp_ok(scalar @source, '>=', 10, 'source: directives');
    is_deeply([ sort @headings ], \@source,
        'README: an entry for every directive, and for no other');

    return;
}


# A variable is named with its dollar; a prefix with what follows it.
sub readme_names_the_variables
{
    my @source = (names_in_source('ngx_http_variable_t'),
        prefixes_in_source());
    my %named = map { $_ => 1 } $readme =~ /\$(ux_[a-z]+(?:_[a-z]+)*_?)/g;
    my @missing = grep { my $name = $_; !grep { $name =~ /_$/
        ? index($_, $name) == 0 : $_ eq $name } keys %named } @source;
    my @unknown = grep { my $name = $_; !grep { /_$/
        ? index($name, $_) == 0 : $_ eq $name } @source } keys %named;

    cmp_ok(scalar @source, '>=', 6, 'source: variables');
    is_deeply(\@missing, [], 'README: every variable is named');
    is_deeply(\@unknown, [], 'README: and no other');

    return;
}
