#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Chromium in the demo shop: what the library web-vitals tells, and what
# conf-examples/ux.js measures and sees itself, ends up in /uxstats as it was
# sent, in the sender's variant.  The bodies of beacons are in nginx's log;
# from them this file works out what has to be counted.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename ();
use JSON::PP ();
use POSIX qw(ceil);
use Test::More;
use UxChrome;
use UxTest;

use constant { VISITORS => 3, ERROR => 0.016 };

my @METRICS = qw(LCP INP CLS FCP TTFB);
my %LIMITS = (LCP => [ 2500, 4000 ], INP => [ 200, 500 ], CLS => [ 0.1, 0.25 ],
    FCP => [ 1800, 3000 ], TTFB => [ 800, 1800 ]);

my $library = File::Basename::dirname(Ux::module()) . '/web-vitals.js';
my $why = UxChrome::missing();

plan skip_all => $why if defined $why;
plan skip_all => "no $library: make web-vitals (needs npm)" if !-f $library;
plan skip_all => 'an nginx without http_sub_module: install another one'
    if `${\ Ux::binary()} -V 2>&1` !~ /http_sub_module/;

my $root = Ux::root();
my $json = JSON::PP->new;
my $shop = Ux::free_port();
my $shop_pid = open_shop();
my $t = Ux::nginx(conf => conf(), vars => { SHOP => "127.0.0.1:$shop" },
    files => {
    'ux.js' => Ux::_read("$root/conf-examples/ux.js"),
    'web-vitals.js' => Ux::_read($library),
    'told.js' => 'self.told = {};'
        . 'for (const f of ["onLCP", "onINP", "onCLS", "onFCP", "onTTFB"])'
        . ' webVitals[f](m => { told[m.name] = m.value; ux(m) });',
})->start;
my $site = 'http://127.0.0.1:' . $t->port;

ok(Ux::wait_until(sub { $t->get('/')->status == 200 }), 'the shop is open');

my $chrome = UxChrome->new;
my %sent;                   # page => what came of it, as it was sent
my $read = 0;               # lines of the log

the_library($_) for 1 .. VISITORS;
figures('library');

for my $page ('own', 'own, by fetch') {
    the_script($page);
}

figures('library', 'own', 'own, by fetch');
events();

undef $chrome;
$t->no_alerts;

done_testing();


END {
    local $?;
    if ($shop_pid) {
        kill 'TERM', $shop_pid;
        waitpid $shop_pid, 0;
    }
}


sub open_shop
{
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        { no warnings; exec { $^X } $^X, "$root/demo/shop.pl", $shop, 2; }
        POSIX::_exit(127);
    }

    return $pid;
}


# /own/ and /library/ are the same shop with other scripts in its pages.
sub conf
{
    return <<'CONF';
    ux_zone shop 8m;
    ux_experiment checkout_layout { variant control 1; variant one_page 1;
        window off; goal purchase; metric size_chart; metric form_error; }

    log_format told escape=json
        '{"body":"$request_body","cookie":"$cookie_ux","status":$status,'
        '"variant":"$ux_variant_checkout_layout","bot":"$ux_bot"}';
    map $uri $scripts {
        ~^/library/ '<script src="/ux.js" data-to="/beacon"></script>
<script src="/web-vitals.js"></script><script src="/told.js"></script>';
        default '<script src="/ux.js" data-to="/beacon" data-vitals="on"
defer></script>';
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        root html;

        ux_expose checkout_layout;

        location ~ ^/(?:library|own)(/.*)$ {
            proxy_pass http://%%SHOP%%$1;
            proxy_set_header Accept-Encoding '';
            sub_filter '</head>' '$scripts</head>';
            add_header Content-Security-Policy "default-src 'self'";
        }
        location / { proxy_pass http://%%SHOP%%; }
        location ~ \.js$ { types { text/javascript js; } }
        location = /beacon { ux_collect; access_log beacons.log told; }
        location /uxstats { ux_stats; }
    }
CONF
}


# What arrived since the last time, as the browser sent it.
sub told
{
    my ($page, $enough) = @_;

    my $ready = Ux::wait_until(sub {
        my @lines = split /\n/, Ux::_read($t->dir . '/beacons.log');
        splice @lines, 0, $read;
        my @beacons = map { $json->decode($_) } @lines;
        my @objects = map { my $b = $_;
            map { { %$_, variant => $b->{variant}, status => $b->{status},
                bot => $b->{bot} } } @{ $json->decode($b->{body}) } } @beacons;

        return undef unless $enough->(@objects);
        push @{ $sent{$page} }, @objects;
        $read += @lines;
        return 1;
    }, 30);

    ok($ready, "$page: all was sent") or diag Ux::_read($t->dir
        . '/beacons.log');

    return;
}


sub has
{
    my ($name, @objects) = @_;

    return scalar grep { ($_->{name} || $_->{event} || '') eq $name }
        @objects;
}


# A visitor's pages: home, where things move, a product, a mouse.
sub the_library
{
    my ($n) = @_;

    my $visitor = $chrome->visitor;

    $visitor->go("$site/library/");
    painted($visitor, 'told.FCP && told.TTFB');
    jump($visitor) if $n > 1;
    $visitor->click('h1');
    responded($visitor);
    $visitor->leave;
    told('library', sub {
        @METRICS == grep { has($_, @_) } @METRICS });

    return;
}


sub the_script
{
    my ($page) = @_;

    my $visitor = $chrome->visitor;

    $visitor->go("$site/own/product/1");
    painted($visitor, 'true');
    jump($visitor);
    $visitor->run('document.querySelector("h1").dataset.ux = "size_chart",'
        . 'document.forms[0].insertAdjacentHTML("afterbegin",'
        . ' "<input required><input required>")');
    $visitor->click('h1');
    responded($visitor);

    my $truth = $visitor->run(truth());
    my $first = delete $truth->{first};

    $visitor->run('navigator.sendBeacon = () => false') if $page =~ /fetch/;
    $visitor->click('form button');

    # both fields were wrong, told behind one timer: this one is later

    $visitor->run('new Promise(done => setTimeout(done))');

    if ($page =~ /fetch/) {
        $visitor->click('header a');
        $visitor->loaded;

    } else {
        $visitor->leave;
    }

    told($page, sub { has('size_chart', @_) && has('form_error', @_)
        && @METRICS == grep { has($_, @_) } @METRICS });

    for my $name (sort keys %$truth) {
        my ($last) = grep { ($_->{name} || '') eq $name }
            reverse @{ $sent{$page} };
        cmp_ok(abs($last->{value} - $truth->{$name}), '<', 1e-9,
            "$page: $name is what the browser says");
    }

    my ($slowest) = grep { ($_->{name} || '') eq 'INP' }
        reverse @{ $sent{$page} };
    cmp_ok($slowest->{value}, '>=', $first,
        "$page: INP is no less than the first interaction took");
    cmp_ok($truth->{CLS}, '>', 0.01, "$page: something moved");

    return;
}


# What the browser has measured, by another way than the script's.
sub truth
{
    return <<'JS';
Promise.all(["navigation", "paint", "largest-contentful-paint",
             "layout-shift", "first-input"].map(type => new Promise(done =>
    new PerformanceObserver(list => done(list.getEntries()))
        .observe({type, buffered: true}))))
.then(([page, paints, large, shifts, inputs]) => ({
    first: inputs[0].duration,
    TTFB: page[0].responseStart,
    FCP: paints.find(e => e.name == "first-contentful-paint").startTime,
    LCP: large[large.length - 1].startTime,
    CLS: shifts.filter(e => !e.hadRecentInput)
        .reduce((sum, e) => sum + e.value, 0)
}))
JS
}


# The page is on the screen, and so says this.
sub painted
{
    my ($visitor, $told) = @_;

    $visitor->run('new Promise(done => new PerformanceObserver(() => done())'
        . '.observe({type: "largest-contentful-paint", buffered: true}))');
    ok(Ux::wait_until(sub { $visitor->run("!!($told)") }, 30), 'a page');

    return;
}


# Without anybody's doing: a layout shift, seen before it goes on.
sub jump
{
    my ($visitor) = @_;

    $visitor->run('new Promise(done => {'
        . 'new PerformanceObserver(() => done())'
        . '.observe({type: "layout-shift", buffered: true});'
        . 'const e = document.createElement("div");'
        . 'e.style.height = "150px"; document.body.prepend(e) })');

    return;
}


# An interaction is told once it is painted.
sub responded
{
    my ($visitor) = @_;

    $visitor->run('new Promise(done => new PerformanceObserver(() => done())'
        . '.observe({type: "first-input", buffered: true}))');

    return;
}


# The last value of each id of what was sent, in which variant.
sub figures
{
    my (@pages) = @_;

    my (%value, @all);

    for my $object (map { @{ $sent{$_} } } @pages) {
        push @all, $object;
        next unless defined $object->{name};
        $value{ $object->{variant} }{ $object->{name} }{ $object->{id} }
            = $object->{value};
    }

    is_deeply([ grep { $_->{status} != 204 || $_->{bot} } @all ], [],
        "@pages: taken, and from no robot");

    my $zone = $t->stats('/zones/shop');
    my $seen = 0;

    for my $variant (qw(control one_page)) {
        my $got = $zone->{experiments}{checkout_layout}{variants}{$variant}
            {vitals};

        for my $name (@METRICS) {
            my $values = $value{$variant}{$name} || {};
            $seen += keys %$values;
            same("@pages: $variant: $name", $got->{$name}, $name,
                sort { $a <=> $b } values %$values);
        }
    }

    for my $name (@METRICS) {
        same("@pages: zone: $name", $zone->{vitals}{$name}, $name,
            sort { $a <=> $b } map { values %{ $_->{$name} } } values %value);
    }

    is($zone->{vitals}{LCP}{count}, VISITORS + @pages - 1,
        "@pages: of each page view");
    cmp_ok($seen, '>=', 5 * (VISITORS + @pages - 1),
        "@pages: all five of each");

    return;
}


sub same
{
    my ($what, $got, $name, @values) = @_;

    my ($good, $poor) = @{ $LIMITS{$name} };
    my $n = @values;

    is_deeply([ @$got{qw(count good needs_improvement poor)} ], [ $n,
        (grep { $_ <= $good } @values) + 0,
        (grep { $_ > $good && $_ <= $poor } @values) + 0,
        (grep { $_ > $poor } @values) + 0 ], "$what: counts of $n");

    my $p75 = $n ? $values[ceil(0.75 * $n) - 1] : undef;

    # steps of 0.1 ms: half of one where that is more

    ok($n ? abs($got->{p75} - $p75) <= (ERROR * $p75 > 0.05 ? ERROR * $p75
        : $name eq 'CLS' ? 0.00005 + ERROR * $p75 : 0.05)
        : !defined $got->{p75}, "$what: p75")
        or diag explain $got, \@values;

    return;
}


sub events
{
    my $zone = $t->stats('/zones/shop');

    for my $event (qw(size_chart form_error)) {
        my $sent = grep { ($_->{event} || '') eq $event }
            map { @$_ } values %sent;

        is($sent, 2, "$event: once each visit");
        is($zone->{events}{$event}, $sent, "$event: counted");
    }

    my @moved = grep { ($_->{name} || '') eq 'CLS' && $_->{value} > 0.01 }
        map { @$_ } values %sent;
    cmp_ok(scalar @moved, '>=', VISITORS - 1, 'pages that jumped say so');

    return;
}
