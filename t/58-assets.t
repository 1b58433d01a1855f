#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The page's own files: for ever in caches, small on the way, the same bytes
# whoever asks, and there without npm, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA ();
use File::Temp ();
use IO::Uncompress::Gunzip ();
use Test::More;
use UxTest;

use constant BUDGET => 60 * 1024;

my $FOR_EVER = 'public, max-age=31536000, immutable';

my %TYPE = (css => 'text/css; charset=utf-8',
    js => 'text/javascript; charset=utf-8',
    svg => 'image/svg+xml; charset=utf-8');

my $t = Ux::nginx(conf => <<'CONF')->start;
ux_zone shop 1m;
ux_experiment layout { variant control 1; variant one_page 1; }

server {
    listen 127.0.0.1:%%PORT%%;

    location /uxstats { ux_stats; }

    # what nginx does itself to types that it knows

    location /packed/ {
        ux_stats any;
        gzip on;
        gzip_min_length 1;
        gzip_types *;
        gzip_vary on;
    }
}
CONF

my %asset = linked('/uxstats');
my $root = Ux::root();

is_deeply([ sort keys %asset ], [ qw(css js svg) ],
    'the page links a style, a script and an icon');

my $sum = 0;

for my $suffix (sort keys %asset) {
    served($suffix, $asset{$suffix});
}

cmp_ok($sum, '<', BUDGET, "all of it: $sum bytes on the way");

packed_by_nginx();
refused();
licences();
without_libraries();
without_zlib();

$t->no_alerts;

done_testing();


# What the page asks for, by suffix.
sub linked
{
    my ($location) = @_;

    my $page = $t->get($location, 'Accept', 'text/html');
    my @paths = $page->body =~ m{(?:href|src)="([^"]*/assets/[^"]*)"}g;

    return map { /\.(\w+)$/ ? ($1 => $_) : ($_ => $_) } @paths;
}


sub unpacked
{
    my ($bytes) = @_;

    my $plain;
    IO::Uncompress::Gunzip::gunzip(\$bytes, \$plain, Transparent => 0)
        or return 'not gzip: ' . $IO::Uncompress::Gunzip::GunzipError;

    return $plain;
}


sub served
{
    my ($suffix, $path) = @_;

    my $plain = $t->get($path);
    my $packed = $t->get($path, 'Accept-Encoding', 'br, gzip, deflate');
    my ($hash) = $path =~ m{/assets/\w+\.([0-9a-f]{16})\.$suffix$};

    is($plain->status, 200, "$suffix: there");
    is($packed->status, 200, "$suffix: there, packed");
    is($hash, substr(Digest::SHA::sha256_hex($plain->body), 0, 16),
        "$suffix: its name is of its contents");
    is($plain->header('Content-Encoding'), undef, "$suffix: plain is plain");
    is($packed->header('Content-Encoding'), 'gzip', "$suffix: packed is gzip");
    ok(unpacked($packed->body) eq $plain->body, "$suffix: the same bytes");
    cmp_ok(length $packed->body, '<', length $plain->body, "$suffix: fewer")
        if $suffix ne 'svg';
    $sum += length $packed->body;

    for my $answer ($plain, $packed) {
        my $what = "$suffix, " . ($answer == $plain ? 'plain' : 'packed');

        is($answer->header('Content-Type'), $TYPE{$suffix}, "$what: type");
        is($answer->header('Content-Length'), length $answer->body,
            "$what: length");
        is_deeply([ $answer->headers('Cache-Control') ], [ $FOR_EVER ],
            "$what: for ever");
        is_deeply([ $answer->headers('Vary') ], [ 'Accept-Encoding' ],
            "$what: varies");
        is($answer->header('X-Content-Type-Options'), 'nosniff',
            "$what: no sniffing");
        like($answer->header('Content-Security-Policy'),
            qr/default-src 'none'/, "$what: is no page");
        like($answer->header('ETag'), qr/^"$hash/, "$what: ETag");
    }

    isnt($plain->header('ETag'), $packed->header('ETag'),
        "$suffix: two representations");

    again($suffix, $path, $plain);
    again("$suffix, packed", $path, $packed, 'Accept-Encoding', 'gzip');

    is($t->get($path, 'Accept-Encoding', 'gzip;q=0, identity')
        ->header('Content-Encoding'), undef, "$suffix: gzip refused");

    return;
}


# Who has it already, and who wants the head alone.
sub again
{
    my ($what, $path, $first, @headers) = @_;

    my $tag = $first->header('ETag');
    my $same = $t->get($path, @headers, 'If-None-Match', "\"x\", $tag");
    my $other = $t->get($path, @headers, 'If-None-Match', '"x"');
    my $head = $t->head($path, @headers);

    is($same->status, 304, "$what: not modified");
    is($same->body, '', "$what: not modified: nothing more");
    is($same->header('ETag'), $tag, "$what: not modified: which");
    is($same->header('Cache-Control'), $FOR_EVER, "$what: and for ever");
    is($other->status, 200, "$what: another is not it");
    ok($other->body eq $first->body, "$what: another: all of it");
    is($head->status, 200, "$what: HEAD");
    is($head->body, '', "$what: HEAD: nothing more");
    is_deeply([ map { $head->header($_) } qw(Content-Length ETag
            Content-Encoding Content-Type) ],
        [ map { $first->header($_) } qw(Content-Length ETag
            Content-Encoding Content-Type) ], "$what: HEAD: the same");

    return;
}


# "gzip" and "gzip_vary" neither pack twice nor say so twice.
sub packed_by_nginx
{
    my %there = linked('/packed/');

    like($there{js}, qr{^/packed/assets/}, 'links of a location with a slash');

    for my $headers ([], [ 'Accept-Encoding', 'gzip' ],
        [ 'Accept-Encoding', 'gzip', 'Via', '1.1 somebody' ])
    {
        my $answer = $t->get($there{js}, @$headers);
        my $what = "gzip on: @$headers";
        my $packed = $answer->header('Content-Encoding');

        is_deeply([ $answer->headers('Vary') ], [ 'Accept-Encoding' ],
            "$what: varies once");
        is($packed, @$headers == 2 ? 'gzip' : undef, "$what: packed or not");
        is(Digest::SHA::sha256_hex($packed ? unpacked($answer->body)
                : $answer->body),
            Digest::SHA::sha256_hex($t->get($asset{js})->body),
            "$what: the same bytes");
    }

    return;
}


sub refused
{
    my ($name) = $asset{js} =~ m{/assets/(.*)};

    for my $path ('', 'page.js', "$name.gz", "x$name", substr($name, 0, -1),
        "$name/", 'page.0000000000000000.js', "../assets/../$name")
    {
        my $answer = $t->get("/uxstats/assets/$path",
            'Accept-Encoding', 'gzip');

        is($answer->status, 404, "no \"$path\"");
        is($answer->body, "{\"error\":\"not found\"}\n",
            "no \"$path\", as for any path");
        is($answer->header('Cache-Control'), 'no-store',
            "no \"$path\": not for ever");
    }

    my $post = $t->post($asset{js}, 'x');
    my $other = $t->get($asset{js}, 'X-Forwarded-For', '192.0.2.1');

    is($post->status, 405, 'POST');
    is($other->status, 403, 'on behalf of somebody else');
    is($other->header('Cache-Control'), 'no-store', 'and not for ever');

    return;
}


sub licences
{
    my $script = $t->get($asset{js})->body;

    SKIP: {
        skip 'built without libraries: make libraries (needs npm)', 4
            if $script !~ /var uPlot/;

        like($script, qr/uPlot [\d.]+\n.*The MIT License/s, 'uPlot and its');
        like($script, qr/Permission is hereby granted, free of charge/,
            'licence is there');
        like($script, qr/idiomorph [\d.]+\n.*Zero-Clause BSD/s,
            'idiomorph and its');
        like($t->get($asset{css})->body, qr/uPlot [\d.]+, MIT/,
            'and of the style');
    }

    unlike($script, qr/\beval\(|new Function\b/, 'nothing that a policy bars');

    return;
}


# What assets.sh makes of a folder of libraries: name => contents.
sub made
{
    my ($libraries, @how) = @_;

    my $dir = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    local $ENV{UX_LIBRARIES} = $libraries;

    is(system('sh', "$root/ngx_module/assets.sh", "$dir/assets.c", @how), 0,
        "@how: made");

    my $source = Ux::_read("$dir/assets.c");
    my %made = (packed => $source =~ /assets_packed = (\d);/);

    while ($source =~ /ngx_http_ux_asset_(\w+)\[\] = \{([^}]*)\}/g) {
        my ($name, $bytes) = ($1, $2);
        $made{$name} = join '', map { chr hex } $bytes =~ /0x(..)/g;
    }

    is_deeply([ grep { $_ ne 'assets.c' } glob_names("$dir") ], [],
        "@how: nothing is left behind");

    return %made;
}


sub own { return join '', map { Ux::_read("$root/src/web/$_") } @_ }


sub glob_names
{
    my ($dir) = @_;

    opendir my $in, $dir or die "$dir: $!\n";

    return grep { !/^\.\.?$/ } readdir $in;
}


sub without_libraries
{
    my %made = made('/nonexistent');

    is($made{packed}, 1, 'no npm: packed');
    ok(unpacked($made{page_js}) eq own(qw(chart.js page.js)),
        'no npm: our own script');
    ok(unpacked($made{page_css}) eq own(qw(page.css figures.css)),
        'no npm: our own style');

    return;
}


# An nginx that has none gets them as they are.
sub without_zlib
{
    my %made = made('/nonexistent', 'plain');

    is($made{packed}, 0, 'no zlib: not packed');
    ok($made{page_js} eq own(qw(chart.js page.js)),
        'no zlib: our own script');

    return;
}
