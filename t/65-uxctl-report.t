#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# uxctl report: what a server said of itself, word for word, from the files it
# left.  uxctl merge: several servers added up, and a server that goes on from
# the sum.  Neither takes what is no snapshot.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy ();
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More;
use UxTest;

# What may differ between a server and the report of its snapshot: when it was
# saved, seen from when, and a second's rounding of "now".
my $APART = qr{^/zones/\w+/snapshot/(?:saved_at|age_seconds)$
    |/runtime_seconds$}x;

my $LAYOUT = <<'CONF';
ux_experiment layout { variant control 1; variant one 1; window off;
    goal purchase; metric revenue; metric add_to_cart; min_runtime 0;
    planned 100; }
CONF

my $dir = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $json = JSON::PP->new->allow_nonref->canonical;


one_server();
two_servers();
two_zones();
merged();
resized();
bad_input();

done_testing();


sub conf
{
    my ($experiments, %option) = @_;

    my $funnels = $option{funnels} || <<'CONF';
ux_funnel checkout {
    step view_item; step add_to_cart; step add_shipping_info optional;
    step purchase;
    cart add_to_cart within=60m;
}
ux_funnel wishes { step wish; step purchase; cart wish within=2d; }
CONF

    return <<"CONF";
ux_zone shop 32m snapshot=%%DIR%%/state interval=100ms journeys=200ms
    currency=EUR totals=4 removed=9d;
$experiments
$funnels
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$http_x_user;
    ux_expose all requests=any;
    add_header X-Layout "\$ux_variant_layout" always;
    location / { ux_event view_item; return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /ship { ux_event add_shipping_info; return 204; }
    location /wish { ux_event wish value=\$arg_value; return 204; }
    location /buy { ux_event purchase value=\$arg_value id=\$arg_id
        currency=\$arg_currency; return 204; }
    location /back { ux_event refund value=\$arg_value; return 204; }
    location /slow { ux_event complaint; return 503; }
    location /uxstats { ux_stats; }
}
CONF
}


# Of every kind there is.
sub experiments
{
    my (%option) = @_;

    my $layout = $option{layout} || 'variant control 50; variant one 30;'
        . ' variant two 20;';
    my $more = $option{more} || '';

    return <<"CONF";
ux_experiment layout { $layout
    goal purchase revenue; metric wish type=ratio;
    metric wish type=count better=lower; metric add_to_cart;
    guardrail complaint better=lower margin=2.5%;
    window 3d; alpha 0.01; planned 120; min_runtime 0; cap 45.50;
    equivalence 12%; salt "a salt, with \\"words\\""; }
ux_experiment left { variant control 1; variant x 2; layer page 0-40%;
    traffic 75%; window off; sticky off; }
ux_experiment right { variant control 1; variant y 0.25;
    layer page 40-100%; target \$http_x_user; metric revenue; }
ux_experiment soon { variant control 1; variant b 1;
    start 2035-01-01; stop 2036-01-01T12:00:00Z; }
ux_experiment over { variant control 1; variant b 1; stop 2020-01-01; }
ux_experiment quiet { variant control 1; variant b 1; state paused; }
ux_experiment done { variant control 1; variant b 1; serve b; }
$more
CONF
}


sub server
{
    my ($experiments, %option) = @_;

    return Ux::nginx(workers => 2, conf => conf($experiments, %option))
        ->start;
}


my $requests = 0;

sub visit
{
    my ($t, $path, @users) = @_;

    my %told;

    for my $user (@users) {
        my $response = $t->get($path, 'X-User' => $user);
        die "$path of $user failed\n" unless $response;
        $told{$user} = $response->header('X-Layout');
        $requests++;
    }

    return \%told;
}


# Everybody looks, many buy, and more of them in "one".
sub shoppers
{
    my ($t, $name, $n) = @_;

    my @users = map { "$name-$_" } 1 .. $n;
    my $told = visit($t, '/', @users);

    visit($t, '/cart', @users[0 .. $n / 2]);
    visit($t, '/ship', @users[0 .. $n / 5]);
    visit($t, '/wish?value=' . (2 + $_), $users[$_]) for 0 .. $n / 4;
    visit($t, '/slow', @users[0 .. 3]);

    for my $i (0 .. $#users) {
        next if ($told->{$users[$i]} // '') ne 'one' && $i % 8;
        visit($t, '/buy?value=' . (10 + $i) . ".25&id=$name$i", $users[$i]);
    }

    visit($t, '/buy?value=7&currency=CHF&id=a', $users[0]);
    visit($t, '/buy?value=7', $users[1]);
    visit($t, '/buy?value=nonsense', $users[2]);
    visit($t, '/back?value=3', $users[0]);

    return $told;
}


# The whole document, once all that was asked is in it.
sub live
{
    my ($t, $n) = @_;

    Ux::wait_until(sub {
        $t->stats('/zones/shop/http/requests') >= $n });
    $t->rest;

    return $t->stats('');
}


sub report
{
    my ($status, $text) = Ux::uxctl([ @_ ]);

    my @notes = $text =~ /^(uxctl: .*)$/mg;
    $text =~ s/^uxctl: .*\n//mg;

    is($status, 0, "@_[0 .. 0]: exits with 0") or diag "@notes";

    return ($text =~ /^\{/ ? $json->decode($text) : undef, @notes);
}


# Paths at which two documents differ, $APART left out.
sub differences
{
    my ($a, $b, $at) = @_;

    if (ref $a eq 'HASH' && ref $b eq 'HASH') {
        my %keys = map { $_ => 1 } keys %$a, keys %$b;
        return map { !exists $a->{$_} || !exists $b->{$_} ? "$at/$_ only once"
            : differences($a->{$_}, $b->{$_}, "$at/$_") } sort keys %keys;
    }

    if (ref $a eq 'ARRAY' && ref $b eq 'ARRAY' && @$a == @$b) {
        return map { differences($a->[$_], $b->[$_], "$at/$_") } 0 .. $#$a;
    }

    my ($x, $y) = map { $json->encode($_) } $a, $b;

    return if $x eq $y;
    return if $at =~ m{/runtime_seconds$} && abs($x - $y) <= 1;
    return if $at =~ $APART && $at !~ /runtime/;

    return substr "$at: $x, $y", 0, 200;
}


sub same
{
    my ($live, $report, $what) = @_;

    my @apart = differences($live, $report, '');

    return is_deeply(\@apart, [], $what);
}


sub snapshot { return (sort glob "$_[0]/shop.*.counters")[-1] }


sub one_server
{
    my $t = server(experiments(more => <<'CONF'));
ux_experiment gone { variant control 1; variant red 1; planned 100;
    min_runtime 0; goal wish; guardrail view_item; alpha 0.2; }
ux_experiment again { variant control 1; variant b 1; }
CONF

    shoppers($t, 'first', 100);
    live($t, $requests);

    # one removed, one in a new version, one with other weights

    $t->{conf} = conf(experiments(
        layout => 'variant control 40; variant one 40; variant two 20;',
        more => 'ux_experiment again { variant control 1; variant b 1;'
            . ' version 2; }'));
    $t->reload;
    shoppers($t, 'second', 60);

    my $live = live($t, $requests);
    my $shop = $live->{zones}{shop};
    my $e = $shop->{experiments};

    is($e->{gone}{state}, 'removed', 'there is an experiment removed');
    is($e->{again}{previous}{version}, 1, 'and a version before');
    is(scalar @{ $e->{layout}{epochs} }, 2, 'and an epoch more');
    is($e->{layout}{waiting_for}[0], 'gate', 'one is not decided')
        if $e->{layout}{verdict} eq 'collecting';
    is($e->{quiet}{state}, 'paused', 'one is paused');
    is($e->{soon}{state}, 'scheduled', 'one is to come');
    is($e->{over}{state}, 'closed', 'one is over');
    is($e->{done}{serve}, 'b', 'one is served');
    is($e->{right}{layer}{lo}, 0.4, 'one has a part of a layer');
    ok($e->{layout}{variants}{one}{funnels}{checkout}{carts}{purchased} > 5,
        'carts were purchased');
    ok($shop->{other_currencies}{CHF}{events}, 'with other money, too');

    # while it runs: a save comes, and nothing changes any more

    my ($report, @notes);

    ok(Ux::wait_until(sub {
        $live = $t->stats('');
        my ($status, $text) = Ux::uxctl([ 'report', '--now',
            $live->{generated_at}, snapshot($t->dir . '/state') ]);
        $report = eval { $json->decode($text) };
        return $report && !differences($live, $report, '');
    }), 'a server that runs: its report is what it says')
        or diag join "\n", differences($live, $report, '');

    $live = $t->stats('');
    $t->stop;

    my $state = $t->dir . '/state';
    my $file = snapshot($state);
    my @now = ('--now', $live->{generated_at});

    ($report, @notes) = report('report', @now, $file);
    same($live, $report, 'a server that was stopped: likewise');
    is_deeply(\@notes, [], 'nothing to complain about');

    for my $word ($file =~ s/counters$/visitors/r, $state) {
        ($report) = report('report', @now, $word);
        same($live, $report, 'also by ' . ($word =~ m{([^/.]*)$})[0]);
    }

    ($report) = report('merge', @now, $state);
    same($live, $report, 'and merge of one');

    # a copy elsewhere, without the visitors

    File::Copy::copy($file, "$dir/copy");
    ($report) = report('report', @now, "$dir/copy");
    is($report->{zones}{shop}{snapshot}{path}, "$dir",
        'a copy: the path is its own');
    $report->{zones}{shop}{snapshot}{path} = $state;
    same($live, $report, 'a copy: the same');

    ($report) = report('report', $file);
    is($report->{generated_at}, $report->{zones}{shop}{snapshot}{saved_at},
        'without --now: as of the save');
    is($report->{zones}{shop}{snapshot}{age_seconds} + 0, 0,
        'which is no age');

    ($report) = report('report', '--now', '2035-06-01', $file);
    is($report->{zones}{shop}{experiments}{soon}{state}, 'running',
        '--now: what was to come has come');
    ok(!exists $report->{zones}{shop}{experiments}{gone},
        '--now: what was removed is out of sight');

    my ($status, $table) = Ux::uxctl([ 'report', '--table', $file ]);

    is($status, 0, 'a table');
    like($table, qr/^layout, version 1: running, $e->{layout}{verdict}/m,
        'table: what is decided');
    like($table, qr/^\s+one\s+$e->{layout}{variants}{one}{visitors}\s+\d/m,
        'table: visitors and rate of a variant');

    # what a damaged file is replaced by

    my $whole = Ux::_read($file);
    Ux::_write("$dir/whole", $whole);
    Ux::_write($file, substr $whole, 0, -1);
    ($report, @notes) = report('report', @now, $state);
    is(scalar @notes, 1, 'a damaged one in a folder: it is said');
    like($notes[0], qr/\Q$file\E.*bytes and says/, 'which and why');
    Ux::_write($file, $whole);
    unlink "$file.1", $file =~ s/counters$/visitors/r;
    rename $file, "$file.1";
    ($report) = report('report', @now, $state);
    same($live, $report, 'only .1 is there: it is taken');
    rename "$file.1", $file;

    # and a server that starts on them says the same again

    $t->start;
    $report = $t->stats('/zones/shop/experiments');
    delete $_->{runtime_seconds} for values %$report, values %$e;
    is($report->{layout}{verdict}, $e->{layout}{verdict},
        'a start after all that: the same verdict');
    $t->no_alerts('no alerts');

    return;
}


# What does not tell of a server, or of one of several.
sub counted
{
    my ($document) = @_;

    my $zone = $json->decode($json->encode($document))->{zones}{shop};

    delete @$zone{qw(snapshot size_bytes)};
    delete $zone->{visitors}{capacity};
    delete $_->{runtime_seconds} for values %{ $zone->{experiments} };

    return $zone;
}


# What counting comes to, wherever and whenever it began; how evident it is
# depends on who has looked when.
sub numbers
{
    my ($document) = @_;

    my $zone = counted($document);

    return { (map { $_ => $zone->{$_} } qw(events visitors http discarded)),
        variants => without($zone->{experiments}{layout}{variants},
            'vs_control') };
}


sub without
{
    my ($node, $name) = @_;

    return [ map { without($_, $name) } @$node ] if ref $node eq 'ARRAY';
    return $node if ref $node ne 'HASH';

    return { map { $_ => without($node->{$_}, $name) }
        grep { $_ ne $name } keys %$node };
}


# Two servers with one folder: their zones have one key, and know a visitor
# of both as one.
sub two_servers
{
    my $t = server($LAYOUT);
    my $state = $t->dir . '/state';
    my $other = Ux::nginx(workers => 1,
        conf => conf($LAYOUT) =~ s/%%DIR%%\/state/$state/r)->start;

    visit($t, '/', map { "u$_" } 1 .. 30);
    visit($t, '/cart', map { "u$_" } 1 .. 12);
    visit($t, '/buy?value=10', map { "u$_" } 1 .. 4);
    visit($other, '/', map { "u$_" } 21 .. 60);
    visit($other, '/cart', map { "u$_" } 25 .. 40);
    visit($other, '/buy?value=20', map { "u$_" } 1, 25 .. 30);

    # records are saved less often than counters, so all of them are awaited

    my ($sum, %all);

    ok(Ux::wait_until(sub {
        my ($status, $text) = Ux::uxctl([ 'merge', $state ]);
        $sum = eval { $json->decode($text) };
        my $shop = $sum->{zones}{shop};
        %all = (requests => $shop->{http}{requests},
            purchases => $shop->{events}{purchase},
            tracked => $shop->{visitors}{tracked},
            visitors => 0, bought => 0, revenue => 0, carts => 0);
        for (values %{ $shop->{experiments}{layout}{variants} }) {
            $all{visitors} += $_->{visitors};
            $all{carts} += $_->{metrics}{add_to_cart}{visitors};
            $all{bought} += $_->{metrics}{purchase}{visitors};
            $all{revenue} += $_->{metrics}{revenue}{sum};
        }
        return $json->encode(\%all) eq $json->encode({ requests => 109,
            purchases => 11, tracked => 60, visitors => 60, carts => 28,
            bought => 10, revenue => 180 });
    }), 'two servers with one key: a visitor of both is counted once, and all'
        . ' of the money') or diag $json->encode(\%all);

    $t->stop;
    ok(Ux::wait_until(sub {
        $other->stats('/zones/shop/http/requests') == 109 }),
        'one of them takes the other over');

    my @apart = differences(numbers($other->stats('')), numbers($sum), '');
    is_deeply(\@apart, [], 'and says what the sum was');

    $t->{checked} = 1;
    $other->no_alerts('no alerts');

    return;
}


# A folder of two zones is one document; a file is of one.
sub two_zones
{
    my $t = Ux::nginx(conf => <<'CONF')->start;
ux_zone shop 1m snapshot=%%DIR%%/state interval=100ms journeys=200ms;
ux_zone blog 2m snapshot=%%DIR%%/state interval=100ms currency=JPY;
ux_experiment layout { variant a 1; variant b 1; }
ux_experiment title zone=blog { variant a 1; variant b 3; metric revenue; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose layout requests=any;
    location / { ux_event view_item; return 204; }
    location /blog { ux_expose title requests=any; return 204; }
    location /uxstats { ux_stats; }
}
CONF

    visit($t, '/', map { "u$_" } 1 .. 5);
    visit($t, '/blog', map { "u$_" } 1 .. 7);
    my $live = $t->stats('');
    $t->stop;

    my $state = $t->dir . '/state';
    my @now = ('--now', $live->{generated_at});
    my ($report) = report('report', @now, $state);
    same($live, $report, 'two zones: one document');

    ($report) = report('report', @now, '--zone', 'blog', $state);
    is_deeply([ keys %{ $report->{zones} } ], [ 'blog' ], '--zone: one');
    is($report->{zones}{blog}{currency}, 'JPY', 'the one that was asked for');

    my ($blog) = glob "$state/blog.*.counters";
    my $shop = snapshot($state);

    refused([ 'report', $shop, $blog ],
        qr{"\Q$shop\E" is of zone "shop", and "\Q$blog\E" of zone "blog"},
        'files of two zones');
    refused([ 'report', '--zone=blog', $shop ],
        qr{"\Q$shop\E" is of zone "shop": expected one of zone "blog"},
        'a file of another zone');
    refused([ 'report', '--zone=else', $state ],
        qr{"\Q$state\E" has no snapshot of zone "else"},
        'a folder without that zone');
    refused([ 'merge', '--output', "$dir/never", $state ],
        qr{snapshots of zone "\w+" and of zone "\w+": expected --zone},
        'a sum of two zones');
    ok(!-e "$dir/never", 'and nothing is written');

    return;
}


sub refused
{
    my ($words, $why, $what) = @_;

    my ($status, $text) = Ux::uxctl($words);

    is($status, 2, "$what: exit status 2");
    like($text, qr/^uxctl: .*$why.*\n\z/m, "$what: which and why");

    return;
}


# Two nodes that know nothing of each other, and a third that starts with
# what they counted.
sub merged
{
    my ($one, $two, $sum) = map { server($LAYOUT) } 1 .. 3;

    # the folder is as a server makes it, and empty

    my $into = $sum->dir . '/state';
    $sum->stop;
    unlink glob "$into/shop.*";

    visit($one, '/', map { "a$_" } 1 .. 20);
    visit($one, '/cart', map { "a$_" } 1 .. 10);
    visit($one, '/buy?value=5', map { "a$_" } 1 .. 5);
    visit($two, '/', map { "b$_" } 1 .. 10, 'a1');
    visit($two, '/buy?value=8', 'b1');
    live($one, 35);
    live($two, 12);
    $_->stop for $one, $two;

    my @from = map { $_->dir . '/state' } $one, $two;
    my ($report, @notes) = report('merge', @from);
    my $shop = $report->{zones}{shop};

    is($shop->{events}{view_item}, 31, 'two nodes: events are added');
    is($shop->{events}{purchase}, 6, 'two nodes: all of them');
    is(scalar @notes, 1, 'two nodes: records of one have another key');
    like($notes[0], qr/"\Q$from[0]\E.*: 20 visitors are counted, but not /,
        'two nodes: it is said of which');

    # whoever runs this, the server must be able to read them

    my ($status, $text) = Ux::uxctl([ 'merge', '-o', $into, @from ]);
    my @files = $text =~ /^(\/.*)$/mg;

    is($status, 0, 'merge: exits with 0');
    is_deeply([ sort @files ], [ sort glob "$into/shop.*" ],
        'merge: what it wrote is what it says');
    is(scalar @files, 2, 'merge: counters and visitors');
    is((stat $_)[2] & 07777, 0600, 'merge: private') for @files;

    my ($again) = report('report', $files[0]);
    is_deeply(numbers($again)->{variants}, numbers($report)->{variants},
        'merge: the report of the file is that of the sum');

    refused([ 'merge', '-o', $into, @from ],
        qr{"\Q$into\E" has snapshots of zone "shop": expected one without},
        'a second time');

    $sum->start;
    my $live = $sum->stats('');
    is_deeply(numbers($live)->{$_}, numbers($report)->{$_},
        "a server that starts with it: $_") for qw(events http variants);
    my $told = visit($sum, '/', 'b1', 'b2', 'b10');
    $live = live($sum, 50);
    is($live->{zones}{shop}{visitors}{tracked}, 11,
        'a server that starts with it: knows the visitors of one');
    $sum->no_alerts('a server that starts with it: no alerts');

    # it has adopted the two: they add nothing, and a third that shares what
    # it counted would count that twice

    $sum->stop;
    ($again) = report('merge', $into, @from);
    is_deeply(numbers($again)->{events}, numbers($live)->{events},
        'what the sum holds is not added again');

    mkdir "$dir/a";
    mkdir "$dir/b";
    Ux::uxctl([ 'merge', '-o', "$dir/$_", @from ]) for qw(a b);
    refused([ 'merge', "$dir/a", "$dir/b" ],
        qr{both hold what an earlier snapshot counted},
        'two sums of the same');

    return;
}


# A worker has answered the user, and has a part of what comes next.
sub hold
{
    my ($t, $path, $user) = @_;

    my $connection = $t->connection;
    $connection->send($connection->request_text('GET', '/', [ 'X-User',
        $user ]) . "GET $path HTTP/1.1\r\nHost: localhost\r\n"
        . "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
        . "Gecko/20100101 Firefox/128.0\r\nX-User: $user\r\n");
    die "no answer for $user\n" unless $connection->read_response('GET');
    $requests++;

    return $connection;
}


sub let_go
{
    my ($connection) = @_;

    $connection->send("\r\n");
    $requests++;

    return $connection->read_response('GET');
}


# Of a zone that a reload made smaller, while an old worker counts on: the new
# one holds the old one as of a base.  The sum is everything, once.
sub resized
{
    my $t = server($LAYOUT);
    my $state = $t->dir . '/state';

    $requests = 0;
    visit($t, '/', map { "u$_" } 1 .. 20);
    visit($t, '/cart', map { "u$_" } 1 .. 8);
    my @held = map { hold($t, '/buy?value=2', "u$_") } 1, 2;
    ok($t->reload(conf => conf($LAYOUT) =~ s/32m/16m/r), 'resized: reloaded');
    visit($t, '/', map { "u$_" } 15 .. 30);
    visit($t, '/buy?value=3', 'u1');
    ok(let_go($held[0]), 'resized: the old worker answers');

    my ($sum, %all);

    ok(Ux::wait_until(sub {
        my ($status, $text) = Ux::uxctl([ 'merge', $state ]);
        $sum = eval { $json->decode($text) } or return 0;
        %all = figures($sum->{zones}{shop});
        return $json->encode(\%all) eq $json->encode({ requests => $requests,
            views => 38, carts => 8, purchases => 2, tracked => 30,
            visitors => 30, bought => 1, revenue => 5 });
    }), 'resized: both together are everything, once')
        or diag $json->encode(\%all);

    # as it is now, in a folder of its own

    my $copy = "$dir/resized";
    mkdir $copy;
    File::Copy::copy($_, $copy) for glob "$state/shop.*";
    my ($base) = glob "$copy/*.base";
    my ($old) = $base =~ /(.*)base$/;
    my ($new) = grep { !/^\Q$old\E/ } glob "$copy/*.counters";

    my ($report) = report('report', $new, "${old}counters");
    is_deeply({ figures($report->{zones}{shop}) }, \%all,
        'resized: so are the files, by name');
    ($report) = report('report', $new, $base);
    is_deeply({ figures($report->{zones}{shop}) }, \%all,
        'resized: the base stands for what is beside it');

    my ($status) = Ux::uxctl([ 'merge', '-o', "$dir/sum", $copy ]);
    is($status, 0, 'resized: merged');
    ($report) = report('merge', "$dir/sum", $copy);
    is_deeply({ figures($report->{zones}{shop}) }, \%all,
        'resized: what was merged holds both');

    rename $base, "$dir/only.base";
    refused([ $_, $copy ], qr{"\Q$old\E\w+" goes on from what "\Q$new\E" has}
        . qr{ of it, and its base is missing: expected "\Q$base\E"},
        "resized: $_ without the base") for 'report', 'merge';
    refused([ 'report', "$dir/only.base" ],
        qr{"\Q$dir\E/only.base" is only what its snapshot goes on from},
        'resized: the base alone');
    ($report) = report('report', $new);
    my %new = figures($report->{zones}{shop});
    is_deeply([ @new{qw(requests revenue)} ], [ $requests - 1, 3 ],
        'resized: the new one alone has all but what came later');

    ok(let_go($held[1]), 'resized: the old worker has done');
    ok(Ux::wait_until(sub { !(() = glob "$state/*.base") }, 30),
        'resized: and is taken over');
    my %live = figures($t->stats('/zones/shop'));
    is_deeply(\%live, { %all, requests => $requests, purchases => 3,
        bought => 2, revenue => 7 }, 'resized: so says the server');
    $t->no_alerts('resized: no alerts');

    return;
}


sub figures
{
    my ($shop) = @_;

    my %all = (requests => $shop->{http}{requests},
        views => $shop->{events}{view_item},
        purchases => $shop->{events}{purchase},
        tracked => $shop->{visitors}{tracked},
        visitors => 0, bought => 0, revenue => 0, carts => 0);

    for (values %{ $shop->{experiments}{layout}{variants} }) {
        $all{visitors} += $_->{visitors};
        $all{carts} += $_->{metrics}{add_to_cart}{visitors};
        $all{bought} += $_->{metrics}{purchase}{visitors};
        $all{revenue} += $_->{metrics}{revenue}{sum};
    }

    return %all;
}


sub bad_input
{
    my $t = server($LAYOUT);
    visit($t, '/', 'u1');
    $t->stop;

    my $file = snapshot($t->dir . '/state');
    my $whole = Ux::_read($file);
    my $bad = "$dir/bad";

    refused([ 'report' ], qr/no file: expected/, 'no words');
    refused([ 'report', "$dir/no" ],
        qr{"\Q$dir\E/no" cannot be read.*: No such file}, 'a missing file');
    refused([ 'report', '--now=tomorrow', $file ],
        qr/"tomorrow" is not valid: expected a time/, 'a time that is none');

    mkdir "$dir/empty";
    refused([ 'report', "$dir/empty" ],
        qr{"\Q$dir\E/empty" has no snapshot}, 'a folder without snapshots');

    POSIX::mkfifo("$dir/pipe", 0600);
    refused([ 'report', "$dir/pipe" ], qr{"\Q$dir\E/pipe".*is a pipe},
        'a pipe');
    refused([ 'report', '/dev/null' ], qr{"/dev/null".*not an ordinary file},
        'a device');

    my %damage = (
        'nothing' => ['', qr/it is empty/],
        'a few bytes' => ['UImage', qr/too few for a snapshot/],
        'another file' => ['x' x 5000, qr/no snapshot of a zone/],
        'one cut short' => [substr($whole, 0, -7), qr/bytes and says/],
        'one with a wrong byte' => [do { my $copy = $whole;
            substr($copy, 1000, 1) ^= "\1"; $copy }, qr/checksum/],
        'one of a later format' => [do { my $copy = $whole;
            substr($copy, 8, 2, pack 'v', 2); $copy },
            qr/of format 2, this program reads format 1/],
    );

    for my $what (sort keys %damage) {
        my ($bytes, $why) = @{ $damage{$what} };

        Ux::_write($bad, $bytes);
        refused([ 'report', $bad ], qr{"\Q$bad\E".*$why}, $what);
        refused([ 'merge', '-o', "$dir/never", $file, $bad ],
            qr{"\Q$bad\E".*$why}, "$what, among others");
    }

    # beside a good one

    File::Copy::copy($file, "$dir/pair.counters");
    Ux::_write("$dir/pair.visitors", substr $whole, 0, 900);
    refused([ 'report', "$dir/pair.counters" ],
        qr{"\Q$dir\E/pair\.visitors"}, 'the other half damaged');
    File::Copy::copy($file, "$dir/pair.visitors");
    refused([ 'report', "$dir/pair.counters" ],
        qr{"\Q$dir\E/pair\.visitors" is no part of}, 'the other half foreign');

    refused([ 'merge', '-o', $bad, $file ],
        qr{"\Q$bad\E" is not valid: expected a folder}, 'into a file');
    refused([ 'merge', '-o', "$dir/no/where", $file ],
        qr{"\Q$dir\E/no/where" cannot be made}, 'into a folder of none');
    ok(!-e "$dir/never", 'and nothing was written');

    return;
}
