#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What shoppers do and how long it takes: synthetic ones with known behaviour
# against figures that this file works out from what it had them do.  Counts
# are exact, quantiles within 1.6 %.  The clock is the test's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min sum0);
use POSIX qw(ceil);
use Test::More;
use Time::HiRes qw(time);
use UxClock;
use UxShopper;
use UxTest;


use constant { SHOPPERS => 60, ERROR => 0.016, MINUTE => 60 };

my @NAV = (Accept => 'text/html');
my %STEP = (cart => 'add_to_cart', checkout => 'begin_checkout',
    gift => 'add_gift', pay => 'purchase');

my $clock = UxClock->new or plan skip_all => 'no compiler for a clock';
my $t = Ux::nginx(conf => conf())->start;

my %variant;                # of a shopper
my %did;                    # shopper => [ [ seconds, what, status ], ... ]
my $longest = 0;            # request: so exact are these seconds

play(map { script($_) } 1 .. SHOPPERS);

my $stats = $t->stats('/zones/shop');

for my $name (qw(control one)) {
    my $got = $stats->{experiments}{layout}{variants}{$name};
    my @them = grep { $variant{$_} eq $name } sort keys %did;

    cmp_ok(scalar @them, '>', 15, "$name: shoppers");
    is($got->{visitors}, @them, "$name: visitors");
    funnel($name, $got->{funnels}{checkout}, @them);
    sessions($name, $got->{sessions}, @them);
    requests($name, $got->{http}, @them);
}

requests('zone', $stats->{http}, sort keys %did);
abandoned_order();
begun_before();
shown();
returning();
early();
far_apart();
prefetched();
crossed();
elsewhere();
slow();
help();
$t->no_alerts;

done_testing();


sub conf
{
    my ($option) = @_;

    $option ||= 'ux_visitor_key $http_x_key;';

    return <<"EOF";
    ux_zone shop 4m;
    ux_segment key \$http_x_key s1;
    ux_experiment layout { variant control 1; variant one 1; goal purchase; }
    ux_funnel checkout { step add_to_cart; step begin_checkout;
        step add_gift optional; step purchase; cart add_to_cart within=60m; }
    ux_stage support contact;
    $option

    server {
        listen 127.0.0.1:%%PORT%%;
        ux_expose all;

        location / { add_header X-Variant \$ux_variant_layout always;
            try_files /none \@answer; }
        location \@answer { add_header X-Variant \$ux_variant_layout always;
            return 200 "page"; }
        location /cart { ux_event add_to_cart; try_files /none \@answer; }
        location /ahead { ux_expose off; ux_event add_to_cart; return 204; }
        location /checkout { ux_event begin_checkout;
            try_files /none \@answer; }
        location /gift { ux_event add_gift; try_files /none \@answer; }
        location /pay { ux_event purchase; try_files /none \@answer; }
        location /form { error_page 404 = \@form; return 404; }
        location \@form { if (\$arg_status = 500) { return 500; }
            if (\$arg_status = 504) { return 504; }
            if (\$arg_status = 422) { return 422; }
            return 200; }
        location /uxstats { ux_stats; }
    }
EOF
}


# What one shopper does, and when: pages, steps, forms, hours away.
sub script
{
    my ($n) = @_;

    my $chance = sub { UxShopper::chance("$_[0]", $n) };
    my $at = int 5 + 600 * $chance->('start');
    my @acts = [ $at, '/' ];

    my $later = sub {
        my ($what, $path) = @_;
        $at += 1 + int 180 * $chance->("to $what");
        push @acts, [ $at, $path || "/$what" ];
    };

    $later->('cart') if $chance->('cart?') < 0.8;
    $later->('checkout') if $chance->('checkout?') < 0.7;
    $later->('gift') if $chance->('gift?') < 0.3;
    $later->('back', '/cart') if $chance->('back?') < 0.3;
    $later->('pay') if $chance->('pay?') < 0.5;
    $later->('gift late', '/gift') if $chance->('late?') < 0.2;

    for my $k (1 .. int 5 * $chance->('forms')) {
        my $status = (200, 200, 422, 500, 504)[5 * $chance->("status $k")];
        my $form = 1 + int 2 * $chance->("form $k");
        $at += (0, 1, 30, 700)[4 * $chance->("wait $k")];
        push @acts, [ $at, "/form/$form?status=$status", $status ];
    }

    # another day: one page, or two

    if ($chance->('returns') < 0.5) {
        $at += 2 * 60 * MINUTE;
        push @acts, [ $at, '/' ];
        $later->('second', '/') if $chance->('second') < 0.5;
    }

    return map { [ $_->[0], "s$n", @$_[1, 2] ] } @acts;
}


# Everybody's acts in the order of time, and at what time each came to be: the
# test's clock goes on while a request is on its way.
sub play
{
    my @acts = sort { $a->[0] <=> $b->[0] } @_;
    my $now = 0;
    my $start = time;

    for my $act (@acts) {
        my ($at, $who, $path, $status) = @$act;

        if ($at > $now) {
            $clock->forward($at - $now);
            $now = $at;
            $t->get('/uxstats') for 1 .. 2;
        }

        my @headers = (@NAV, 'X-Key' => $who);
        my $began = time;
        my $r = defined $status
            ? $t->request('POST', $path, Accept => '*/*', 'X-Key' => $who,
                'Content-Length' => 0)
            : $t->get($path, @headers);

        $variant{$who} = $r->header('X-Variant') if !defined $status;
        push @{ $did{$who} }, [ $at + $began - $start, $path, $status ];
        $longest = max $longest, time - $began;
    }

    return;
}


sub funnel
{
    my ($name, $got, @them) = @_;

    my @path = qw(/cart /checkout /gift /pay);
    my (@seconds, @task, @back);

    for my $who (@them) {
        my ($exposed) = $did{$who}[0][0];
        my ($last, $begun, %reached);

        for my $act (@{ $did{$who} }) {
            my ($k) = grep { $path[$_] eq $act->[1] } 0 .. $#path;
            next if !defined $k;

            $back[$k]++ if !$reached{3}
                && grep { $reached{$_} } $k + 1 .. $#path;

            my @needed = grep { $_ != 2 } 0 .. $k - 1;
            next if $reached{$k} || grep { !$reached{$_} } @needed;
            $reached{$k} = 1;

            # an optional step behind a later required one has no time
            next if $k == 2 && $reached{3};

            push @{ $seconds[$k] },
                $act->[0] - (defined $last ? $last : $exposed);
            next if $k == 2;

            $last = $act->[0];
            $begun = $act->[0] if $k == 0;
            push @task, $act->[0] - $begun if $k == 3;
        }
    }

    for my $k (0 .. $#path) {
        my $step = $got->{steps}[$k];

        cmp_ok(scalar @{ $seconds[$k] || [] }, '>', 2,
            "$name: step $k: there are times");
        quantiles("$name: step $k", $step->{seconds}, $seconds[$k],
            p50 => 0.5, p75 => 0.75, p90 => 0.9);
        is($step->{backtracks}, $back[$k] || 0, "$name: step $k: backtracks");
    }

    my $begun = @{ $seconds[0] };
    is($got->{task}{started}, $begun, "$name: task: started");
    is($got->{task}{completed}, @task, "$name: task: completed");
    is($got->{task}{succeeded}, @task, "$name: task: succeeded");
    cmp_ok(abs $got->{task}{success_rate} - @task / $begun, '<', 1e-9,
        "$name: task: success rate");
    quantiles("$name: task", $got->{task}{seconds}, \@task,
        p50 => 0.5, p75 => 0.75, p90 => 0.9);

    return;
}


# The ceil(q * n)-th value; what is told is within 1.6 % of it, and of the
# moments a request took here.
sub quantiles
{
    my ($what, $got, $values, %wanted) = @_;

    my @sorted = sort { $a <=> $b } @$values;

    for my $p (sort keys %wanted) {
        my $value = $sorted[max 0, ceil($wanted{$p} * @sorted) - 1];
        my $off = abs $got->{$p} - $value;

        cmp_ok($off, '<=', ERROR * $value + 0.5 + $longest,
            sprintf '%s: %s is %.1f', $what, $p, $value)
            or diag "told: $got->{$p}";
    }

    return;
}


sub sessions
{
    my ($name, $got, @them) = @_;

    my ($pages, $sessions, $single) = (0, 0, 0);

    for my $who (@them) {
        my ($last, $seen);

        for my $act (@{ $did{$who} }) {
            my ($at, undef, $status) = @$act;

            if (!defined $status) {
                my $new = !defined $last || $at - $last >= 30 * MINUTE;
                $seen = 0 if $new;
                $sessions += $new;
                $pages++;
                $single += $seen == 0 ? 1 : $seen == 1 ? -1 : 0;
                $seen++;
            }

            $last = $at;
        }
    }

    is($got->{pages}, $pages, "$name: pages");
    is($got->{sessions}, $sessions, "$name: sessions");
    is($got->{single_page}, $single, "$name: of one page");
    cmp_ok(abs $got->{bounce_rate} - $single / $sessions, '<', 1e-9,
        "$name: bounce rate");

    return;
}


sub requests
{
    my ($name, $got, @them) = @_;

    my %n = map { $_ => 0 } qw(requests errors timeouts post_4xx retries
        rage_repeats error_visitors);

    for my $who (@them) {
        my ($form, $failed, $at, $met);

        for my $act (@{ $did{$who} }) {
            my ($now, $path, $status) = @$act;

            $n{requests}++;
            next if !defined $status;

            my ($to) = $path =~ /([^?]+)/;
            my $same = defined $form && $form eq $to;

            $n{retries}++ if $same && $failed && $now - $at <= 10 * MINUTE;
            $n{rage_repeats}++ if $same && $now - $at <= 2;

            ($form, $at, $failed) = ($to, $now, $status >= 400);
            $n{errors}++ if $failed;
            $n{timeouts}++ if $status == 504;
            $n{post_4xx}++ if $status == 422;
            $met ||= $failed;
        }

        $n{error_visitors}++ if $met;
    }

    cmp_ok($n{$_}, '>', 0, "$name: there are $_") for sort keys %n;
    is($got->{$_}, $n{$_}, "$name: $_") for sort keys %n;
    cmp_ok(abs $got->{error_rate} - $n{errors} / $n{requests}, '<', 1e-9,
        "$name: error rate");
    cmp_ok($got->{bytes}, '>', 100 * $n{requests}, "$name: bytes");
    ok(defined $got->{seconds}{p99}, "$name: seconds");

    return;
}


# Who began before the exposure completes the task, and is no success of it.
sub begun_before
{
    my $task = sub {
        my $variants = $t->stats('/zones/shop/experiments/layout/variants');
        my @tasks = map { $_->{funnels}{checkout}{task} } values %$variants;
        return join ' ', map { my $n = $_; sum0(map { $_->{$n} } @tasks) }
            qw(started completed succeeded);
    };
    my @n = split / /, $task->();

    $t->get($_, @NAV, 'X-Key' => 'ahead')
        for qw(/ahead / /checkout /pay);

    $n[1]++;
    is($task->(), "@n", 'begun before: completed, no success');

    return;
}


# A purchase without the steps before it is no completed task.
sub abandoned_order
{
    my $before = $t->stats('/zones/shop/experiments/layout/variants');

    $t->get($_, @NAV, 'X-Key' => 'direct') for '/', '/pay';

    my $after = $t->stats('/zones/shop/experiments/layout/variants');
    is(sum0(map { $after->{$_}{funnels}{checkout}{task}{completed} }
            keys %$after),
        sum0(map { $before->{$_}{funnels}{checkout}{task}{completed} }
            keys %$before), 'out of order: no task is completed');
    is(sum0(map { $after->{$_}{metrics}{purchase}{visitors} } keys %$after),
        sum0(map { $before->{$_}{metrics}{purchase}{visitors} }
            keys %$before) + 1, 'out of order: but it is a purchase');

    return;
}


# Two experiments, each on a page of its own.
sub two
{
    return <<'EOF';
    ux_zone shop 4m;
    ux_experiment first { variant control 1; variant one 1; goal purchase; }
    ux_experiment later { variant control 1; variant one 1; goal purchase; }
    ux_visitor_key $http_x_key;

    server {
        listen 127.0.0.1:%%PORT%%;

        location /first { ux_expose first; try_files /none @answer; }
        location /later { ux_expose later; try_files /none @answer; }
        location /event { ux_event contact; try_files /none @answer; }
        location /bad { ux_expose later; return 503; }
        location /style.css { try_files /none @answer; }
        location @answer { return 200; }
        location /uxstats { ux_stats; }
    }
EOF
}


# A page counts for what it shows, and ends a bounce of whatever there was.
sub shown
{
    my $s = Ux::nginx(conf => two())->start;

    $s->get($_, @NAV, 'X-Key' => 'both') for '/first', '/later';
    $s->get('/later', @NAV, 'X-Key' => 'one page');
    $s->get('/later', @NAV, 'X-Key' => 'three') for 1 .. 3;

    for my $case ([ 'first', 1, 1, 0 ], [ 'later', 5, 3, 1 ]) {
        my ($name, @figures) = @$case;
        my $v = $s->stats("/zones/shop/experiments/$name/variants");

        is_deeply([ map { my $f = $_; sum0 map { $_->{sessions}{$f} }
                values %$v } qw(pages sessions single_page) ], \@figures,
            "$name: pages, sessions and those of a single page");
    }

    $s->no_alerts;

    return;
}


# New is who was first seen half an hour ago at most.
sub returning
{
    my $s = Ux::nginx(conf => two())->start;

    $s->get('/first', @NAV, 'X-Key' => "visitor $_") for 1 .. 6;
    $clock->forward(29 * MINUTE);
    $s->get('/later', @NAV, 'X-Key' => "visitor $_") for 1 .. 2;
    $clock->forward(2 * MINUTE);
    $s->get('/later', @NAV, 'X-Key' => "visitor $_") for 1 .. 6;

    for my $case ([ 'first', 6, 0 ], [ 'later', 2, 4 ]) {
        my ($name, @figures) = @$case;
        my $v = $s->stats("/zones/shop/experiments/$name/variants");

        is_deeply([ map { my $f = $_; sum0 map { $_->{sessions}{$f} }
                values %$v } qw(new_visitors returning_visitors) ],
            \@figures, "$name: new and returning visitors");
    }

    $s->no_alerts;

    return;
}


# Where only a second page brings the cookie back, nobody seen is a bounce.
sub early
{
    my $s = Ux::nginx(conf => conf(' '))->start;
    my $sum = sub {
        my $v = $s->stats('/zones/shop/experiments/layout/variants');
        my ($any) = grep { $_->{sessions}{sessions} } values %$v;
        return { reason => $any->{sessions}{bounce_reason},
            rates => [ grep { defined } map { $_->{sessions}{bounce_rate} }
                values %$v ],
            map { my $f = $_; $f => sum0 map { $_->{sessions}{$f} }
                values %$v } qw(pages sessions single_page confirmed_late) };
    };

    for (1 .. 4) {
        my $browser = $s->browser;
        $browser->go('/') for 1, 2;
    }

    my $told = $sum->();
    is($told->{sessions}, 4, 'second page: sessions');
    is($told->{pages}, 8, 'second page: pages, the first included');
    is($told->{single_page}, 0, 'second page: none of one page');
    is_deeply($told->{rates}, [], 'second page: no bounce rate');
    like($told->{reason}, qr/second page/, 'second page: and why');

    # shares are of each variant's visitors

    for (1 .. 200) {
        my $browser = $s->browser;
        $browser->go('/');
        $browser->asset('/style.css');
    }

    $told = $sum->();
    is($told->{sessions}, 204, 'an asset: sessions');
    is($told->{single_page}, 200, 'an asset: who saw one page is counted');
    ok(@{ $told->{rates} } == 2 && !defined $told->{reason},
        'an asset: there is a rate, with few who came by a second page');
    is($told->{confirmed_late}, 4, 'an asset: and it is told how many');
    $s->no_alerts;

    return;
}


# Figures of all variants together.
sub told
{
    my ($s, $name, @figures) = @_;

    my $v = $s->stats("/zones/shop/experiments/$name/variants");

    return [ map { my $f = $_; sum0 map { $_->{sessions}{$f} } values %$v }
        @figures ];
}


# Idleness is since the last page, to the second.
sub far_apart
{
    my $s = Ux::nginx(conf => two())->start;

    for my $wait (0, 50, 29 * MINUTE + 30) {
        $clock->forward($wait);
        $s->get('/first', @NAV, 'X-Key' => 'slow reader');
    }

    is_deeply(told($s, 'first', qw(pages sessions single_page)), [ 3, 1, 0 ],
        'pages within 30 minutes of each other are one session');
    $s->no_alerts;

    return;
}


# What was prefetched is a page of the session once it is shown.
sub prefetched
{
    my $s = Ux::nginx(conf => two())->start;
    my @of = ('later', qw(pages sessions single_page));
    my @early = (@NAV, 'Sec-Purpose' => 'prefetch');

    $s->get('/later', @early, 'X-Key' => $_) for 'asset', 'again', 'other';
    $s->get('/later/style.css', 'X-Key' => 'asset');
    is_deeply(told($s, @of), [ 1, 1, 1 ], 'prefetched: a page when shown');
    $s->get('/later', @NAV, 'X-Key' => 'asset');
    is_deeply(told($s, @of), [ 2, 1, 0 ], 'prefetched: no bounce any more');
    $s->get('/later', @NAV, 'X-Key' => 'again');
    is_deeply(told($s, @of), [ 3, 2, 1 ], 'prefetched, asked for: one page');
    $s->get('/first', @NAV, 'X-Key' => 'other');
    is_deeply(told($s, @of), [ 4, 3, 1 ], 'prefetched, and left: two pages');
    is_deeply(told($s, 'first', @of[1 .. 3]), [ 1, 1, 0 ],
        'prefetched, and left: the second is no bounce');
    $s->no_alerts;

    return;
}


# Who crosses over takes back what was counted of them, and nothing else.
sub crossed
{
    my $s = Ux::nginx(conf => two())->start;
    my @of = ('later', qw(pages sessions single_page new_visitors
        returning_visitors));

    # bounces, and others seen before, by key

    $s->get('/later', @NAV, 'X-Key' => "bounce $_") for 1 .. 20;
    $s->get('/first', @NAV, 'X-Key' => "known $_") for 1 .. 20;
    $clock->forward(31 * MINUTE);
    $s->get('/later', @NAV, 'X-Key' => "known $_") for 1 .. 20;
    $s->get('/later', @NAV, 'X-Key' => "known $_") for 1 .. 20;
    is_deeply(told($s, @of), [ 60, 40, 20, 20, 20 ], 'before any crosses');

    my %id;

    for my $k (1 .. 20) {
        my $browser = $s->browser;
        $browser->go('/later');
        $browser->asset('/later/style.css', 'X-Key' => "known $k");
        $browser->go('/later');
        $id{"known $k"} = (split /\./, $browser->cookie('ux'))[1];
    }

    # how many those are is chance, as cookies are
    my $told = Ux::assign('later:control=1,one=1', [ %id ]);
    my $apart = grep { $told->{$_} ne $told->{ $id{$_} } } keys %id;
    my $crossed = $s->stats('/zones/shop/experiments/later')
        ->{crossover_visitors};
    my $got = told($s, @of);

    cmp_ok($apart, '>', 0, 'some are in two variants');
    is($crossed, $apart, 'and these cross');
    is($got->[2], 20, 'a crossover takes no bounce of others');
    is($got->[4], 20 - $crossed, 'crossovers: returning ones leave');
    $s->no_alerts;

    return;
}


# A second page of something else is a second page, where it is seen.
sub elsewhere
{
    my $s = Ux::nginx(conf => two())->start;
    my @of = ('first', qw(pages sessions single_page));

    $s->get('/first', @NAV, 'X-Key' => $_) for 'unseen', 'event';
    $s->get('/style.css', @NAV, 'X-Key' => 'unseen');
    is_deeply(told($s, @of), [ 2, 2, 2 ], 'elsewhere: a page not seen');
    $s->get('/event', @NAV, 'X-Key' => 'event');
    is_deeply(told($s, @of), [ 2, 2, 1 ], 'elsewhere: one with an event');

    # errors and forms of those who are not exposed where they meet them

    my $http = sub { $s->stats('/zones/shop/http') };

    $s->request('POST', '/bad', Accept => '*/*', 'X-Key' => 'event',
        'Content-Length' => 0) for 1, 2;
    is_deeply([ @{ $http->() }{qw(error_visitors retries)} ], [ 1, 1 ],
        'elsewhere: the zone tells errors and retries of all with a record');
    $s->no_alerts;

    return;
}


# Forms are as far apart as they were sent, however long the answers took.
sub slow
{
    my $s = Ux::nginx(conf => two())->start;
    my $head = "POST /later HTTP/1.1\r\nHost: localhost\r\n";
    my $rest = "Accept: */*\r\nX-Key: clicks\r\nContent-Length: 0\r\n"
        . "Connection: close\r\n\r\n";
    my $now = sub { $s->get('/uxstats') for 1 .. 2 };

    $s->get('/later', @NAV, 'X-Key' => 'clicks');

    my @sent = map { $s->connection } 1 .. 2;
    $_->send($head) for @sent;

    for my $connection (@sent) {
        $now->();
        $clock->forward(5);
        $now->();
        $connection->send($rest);
        is($connection->read_response('POST')->status, 200, 'slow: answered');
    }

    is($s->stats('/zones/shop/http')->{rage_repeats}, 1,
        'slow: sent at once, answered apart, is rage');
    $s->no_alerts;

    return;
}


# What the document says the figures mean, RESULTS.md says, too.
sub help
{
    my $help = $t->stats('/help');
    my $results = Ux::_read(Ux::root() . '/RESULTS.md');
    my $experiment = $t->stats('/zones/shop/experiments/layout');
    my $v = $experiment->{variants}{one};

    for my $name (sort keys %$help) {
        ok(index($results, "| `$name` | $help->{$name} |") >= 0,
            "help: $name: as in RESULTS.md");

        my $at = { %$experiment, %$v, funnels => $v->{funnels}{checkout},
            vitals => $v->{vitals}{LCP}, journey => { %{ $v->{journey} },
                stages => $v->{journey}{stages}{support} },
            segments => { %{ $v->{segments}{key}{other}{metrics}{purchase} },
                %{ $t->stats('/zones/shop/experiments/layout/segments/key/'
                    . 'purchase/one') } } };
        for (split /\./, $name) {
            $at = ref $at eq 'ARRAY' ? $at->[0]{$_}
                : exists $at->{$_} ? (defined $at->{$_} ? $at->{$_} : "null")
                : undef;
        }
        ok(defined $at, "help: $name: is there");
    }

    cmp_ok(scalar keys %$help, '>', 15, 'help: figures');

    return;
}
