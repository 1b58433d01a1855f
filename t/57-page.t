#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The page of /uxstats, read strictly: well-formed, of our own elements only,
# and every figure of it is the one the JSON of the same moment has.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use List::Util qw(min);
use Test::More;
use UxNames;
use UxPage;
use UxTest;

use constant MARKER => 'zq9marker';


my $HTML = 'text/html; charset=utf-8';
my $BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,'
    . 'image/avif,image/webp,*/*;q=0.8';
my $POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "
    . "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    . "form-action 'none'; frame-ancestors 'none'";

my @VS = ([ 'Lift', 'lift', 'vs_control/lift' ],
    [ 'Lift, whenever you look', 'lift', 'vs_control/lift_ci' ],
    [ 'p, whenever you look', 'p', 'vs_control/p_value' ],
    [ 'Significant', 'word', 'vs_control/significant' ]);

# Where each table has which figure: column, kind, place in the document.
my %TABLES = (
    variants => [ [ 'Weight', 'number', 'weight' ],
        [ 'Share asked', 'share', 'share' ],
        [ 'Visitors', 'count', 'visitors' ],
        [ 'Assigned', 'count', 'assigned' ],
        [ 'Confirmed', 'share', 'confirmed_share' ],
        [ 'In window', 'count', 'visitors_in_window' ],
        [ 'Converted', 'count', 'metrics/purchase/visitors' ],
        [ 'Rate', 'share', 'metrics/purchase/rate' ],
        [ 'Lift', 'lift', 'metrics/purchase/vs_control/lift' ],
        [ 'Lift, whenever you look', 'lift',
            'metrics/purchase/vs_control/lift_ci' ],
        [ 'p, whenever you look', 'p',
            'metrics/purchase/vs_control/p_value' ] ],
    conversion => [ [ 'Converted', 'count', 'visitors' ],
        [ 'Events', 'count', 'events' ], [ 'Rate', 'share', 'rate' ],
        [ 'Rate, 95 % at one look', 'share', 'rate_ci' ], @VS ],
    mean => [ [ 'Visitors with it', 'count', 'visitors' ],
        [ 'Events', 'count', 'events' ], [ 'Sum', 'money', 'sum' ],
        [ 'Currency', 'word', 'currency' ], [ 'Cap', 'count', 'cap' ],
        [ 'Per visitor', 'number', 'mean' ],
        [ 'Per visitor, 95 % at one look', 'number', 'mean_ci' ],
        [ 'Variance', 'number', 'variance' ], @VS ],
    ratio => [ [ 'Visitors with it', 'count', 'visitors' ],
        [ 'Events', 'count', 'events' ], [ 'Sum', 'money', 'sum' ],
        [ 'Currency', 'word', 'currency' ],
        [ 'Per event', 'number', 'ratio' ],
        [ 'Per event, 95 % at one look', 'number', 'ratio_ci' ], @VS ],
    steps => [ [ 'Visitors', 'count', 'visitors' ],
        [ 'Of all visitors', 'share', 'rate' ],
        [ '95 % at one look', 'share', 'rate_ci' ],
        [ 'In order', 'count', 'visitors_in_order' ],
        [ 'From the step before', 'share', 'rate_from_previous' ],
        [ 'Lost since', 'lost', 'rate_from_previous' ],
        [ 'Lift', 'lift', 'vs_control/lift' ],
        [ 'Lift, whenever you look', 'lift', 'vs_control/lift_ci' ],
        [ 'Time, median', 'seconds', 'seconds/p50' ],
        [ '75 %', 'seconds', 'seconds/p75' ],
        [ '90 %', 'seconds', 'seconds/p90' ],
        [ 'Backtracks', 'count', 'backtracks' ],
        [ 'Events', 'count', 'events' ],
        [ 'Done before', 'count', 'visitors_before_exposure' ] ],
    vitals => [ [ 'Values', 'count', 'count' ],
        [ '75th percentile', 'number', 'p75' ], [ 'Unit', 'word', 'unit' ],
        [ 'Good share', 'share', 'good_share' ], [ 'Good', 'count', 'good' ],
        [ 'Needs improvement', 'count', 'needs_improvement' ],
        [ 'Poor', 'count', 'poor' ] ],
    surveys => [ [ 'Answers', 'count', 'answers' ],
        [ 'Answered', 'share', 'response_rate' ],
        [ 'Answered, 95 % at one look', 'share', 'response_ci' ],
        [ 'Score', 'number', 'score' ],
        [ 'Score, 95 % at one look', 'number', 'score_ci' ],
        [ 'Promoters', 'count', 'promoters' ],
        [ 'Passives', 'count', 'passives' ],
        [ 'Detractors', 'count', 'detractors' ],
        [ 'Answers of buyers', 'count', 'purchased/answers' ],
        [ 'Score of buyers', 'number', 'purchased/score' ],
        [ 'Answers of others', 'count', 'not_purchased/answers' ],
        [ 'Score of others', 'number', 'not_purchased/score' ] ],
    stages => [ [ 'Visitors', 'count', 'visitors' ],
        [ 'Of all visitors', 'share', 'rate' ],
        [ '95 % at one look', 'share', 'rate_ci' ],
        [ 'Events', 'count', 'events' ], [ 'Repeats', 'count', 'repeats' ] ],
    assigned => [ [ 'Assigned', 'count', 'assigned' ],
        [ 'Rate of the goal', 'share', 'rate' ],
        [ 'Difference', 'points', 'difference' ],
        [ 'p, whenever you look', 'p', 'p_value' ] ],
    epochs => [ [ 'Since', 'time', 'started_at' ],
        [ 'Traffic', 'share', 'traffic' ],
        [ 'Visitors', 'count', 'visitors' ],
        [ 'In the result', 'word', 'used' ] ],
);

# The same of tables whose columns are variants.
my %COMPARED = (
    'Sessions' => [ 'sessions', [ 'Sessions', 'count', 'sessions' ],
        [ 'Pages', 'count', 'pages' ],
        [ 'Of a single page', 'count', 'single_page' ],
        [ 'Bounce rate', 'share', 'bounce_rate' ],
        [ 'New visitors', 'count', 'new_visitors' ] ],
    'Money' => [ 'money', [ 'Revenue', 'money', 'revenue' ],
        [ 'Revenue per visitor', 'number', 'per_visitor' ],
        [ 'Orders', 'count', 'orders' ], [ 'Ordered, before refunds',
            'money', 'ordered' ],
        [ 'Mean order value', 'number', 'order_value' ],
        [ 'Refunded', 'money', 'refunded' ] ],
    'Requests' => [ 'http', [ 'Requests', 'count', 'requests' ],
        [ 'Status 2xx', 'count', 'status/2xx' ],
        [ 'Status 4xx', 'count', 'status/4xx' ],
        [ 'Errors', 'count', 'errors' ], [ 'Sent', 'bytes', 'bytes' ],
        [ 'Error rate', 'share', 'error_rate' ],
        [ 'Answer time, median', 'seconds', 'seconds/p50' ],
        [ 'Answer time of 99 %', 'seconds', 'seconds/p99' ] ],
    'Contacts' => [ 'contact', [ 'Contacts', 'count', 'events' ],
        [ 'Share of them', 'share', 'visitor_rate' ],
        [ 'Contacts per order', 'number', 'per_order' ] ],
    'Task checkout' => [ 'funnels/checkout/task',
        [ 'Started', 'count', 'started' ],
        [ 'Completed', 'count', 'completed' ],
        [ 'Success rate', 'share', 'success_rate' ],
        [ 'Time, median', 'seconds', 'seconds/p50' ] ],
    'Carts of checkout' => [ 'funnels/checkout', [ 'Carts', 'count',
            'carts/created' ],
        [ 'Open', 'count', 'carts/open' ],
        [ 'Purchased', 'count', 'carts/purchased' ],
        [ 'Abandoned', 'count', 'carts/abandoned' ],
        [ 'Settled', 'count', 'carts/settled' ],
        [ 'Abandonment, of the settled', 'share',
            'carts/abandonment_rate' ],
        [ 'Most are left after', 'word', 'biggest_loss/after' ] ],
);

my $t = Ux::nginx(
    workers => 2,
    files => { 'page.html' => '<p>page</p>' },
    conf => conf(1))->start;

shoppers($t, 20);

my $json = $t->stats;
my $main = page('/uxstats');
my $alone = page('/uxstats/experiment/shop/layout');

pages_are_well_formed();
nothing_is_asked_of_anybody_else();
it_says_what_may_be_concluded();
figures_are_those_of_json($main->id('experiment-shop-layout'), $json, 'all');
figures_are_those_of_json($alone->id('experiment-shop-layout'), $json,
    'alone');
segments_are_those_of_json();
zones_are_those_of_json();
there_is_no_figure_but_of_json();
accept_decides();
headers_and_methods();
nothing_of_the_request_is_echoed();
the_version_before_is_there();
names_at_their_limits();
$t->no_alerts;

done_testing();


sub conf
{
    my ($version) = @_;

    return <<"EOF";
ux_zone shop 8m;
ux_zone other 2m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    version $version;
    goal purchase;
    metric purchase type=ratio;
    metric revenue;
    guardrail add_to_cart;
    window off;
}

ux_experiment banner zone=other { variant a 1; variant b 0; }

ux_funnel checkout {
    step view_item optional;
    step add_to_cart;
    step begin_checkout;
    step purchase;
    cart add_to_cart within=1s;
}

ux_stage buying add_to_cart purchase;
ux_stage support ask;
ux_segment device \$arg_device phone desktop;

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose all;

    location / { try_files /page.html =404; }
    location /view {
        ux_event   view_item;
        add_header X-Variant \$ux_variant_layout always;
        try_files  /page.html =404;
    }
    location /cart { ux_event add_to_cart; try_files /page.html =404; }
    location /pay { ux_event begin_checkout; try_files /page.html =404; }

    location /buy {
        ux_event purchase value=\$arg_value id=\$arg_id;
        try_files /page.html =404;
    }

    location /refund {
        ux_event refund value=\$arg_value;
        try_files /page.html =404;
    }

    location /ask { ux_event ask; try_files /page.html =404; }
    location /answer { ux_event nps value=\$arg_nps;
        try_files /page.html =404; }

    location = /beacon { ux_collect; }

    location /uxstats  { ux_stats; }
    location /slashed/ { ux_stats; }
    location "/o d<&\\"'d%/x" { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_ROOT%%;
    location / { ux_stats; }
}
EOF
}


# Different counts of each kind, in each variant; then all is settled.  Cookies
# decide who is in which: they come until each has so many, and the n-th of
# each does the same, so that neither is without something.
sub shoppers
{
    my ($server, $each) = @_;

    my %of = (control => 0, one_page => 0);

    for (my $k = 1; min(values %of) < $each; $k++) {
        my $browser = $server->browser;
        my $page = $browser->go('/view?device='
            . ('phone', 'desktop', 'tv')[$k % 3]);
        my $n = ++$of{ $page->header('X-Variant') };
        $browser->go('/cart') if $n % 3;
        $browser->go('/pay') if $n % 3 && $n % 4 != 3;
        $browser->go("/buy?value=1$n.25&id=o$n") if $n % 4 == 1;
        $browser->go('/missing') if $n % 5 == 0;
        $browser->go('/refund?value=2.50') if $n % 8 == 1;
        $browser->go('/ask') if $n % 6 == 0;
        $browser->go('/answer?nps=' . $n % 11) if $n % 2;
        $server->post('/beacon', JSON::PP->new->encode([ map { {
            name => $_, value => $_ eq 'CLS' ? $n / 100 : $n * 150,
            id => "v5-$n-$_" } } qw(LCP CLS) ]),
            'Content-Type' => 'application/json',
            'Cookie' => 'ux=' . $browser->cookie('ux')) if $n % 2;
        $browser->close;
    }

    my $requests;

    ok(Ux::wait_until(sub {
        my $zone = $server->stats('/zones/shop');
        my $last = $requests;
        $requests = $zone->{http}{requests};
        return $zone->{http}{seconds}{buckets}{all} == $requests
            && defined $last && $last == $requests
            && !grep { $_->{funnels}{checkout}{carts}{open} }
                values %{ $zone->{experiments}{layout}{variants} };
    }), 'shoppers: all is counted and settled');

    return;
}


# As a browser asks for it.
sub page
{
    my ($path, $server) = @_;

    my $response = ($server || $t)->get($path, 'Accept' => $BROWSER);
    my $page = eval { UxPage->new($response->body) };

    is($response->status, 200, "$path is there");
    ok($page, "$path is well-formed") or diag $@;

    return $page || BAIL_OUT("$path: $@");
}


sub pages_are_well_formed
{
    for my $of ([ main => $main, 2 ], [ alone => $alone, 1 ]) {
        my ($name, $page, $experiments) = @$of;

        my ($html) = $page->all('html');
        is($html->{attr}{lang}, 'en', "$name: its language");
        is(scalar($page->all('h1')), 1, "$name: one h1");
        is(scalar($page->all('main')), 1, "$name: one main");
        is(scalar($page->all('article')), $experiments,
            "$name: its experiments");

        my ($skip) = grep { ($_->{attr}{class} || '') eq 'skip' }
            $page->all('a');
        is($skip->{attr}{href}, '#main', "$name: a link to the results");
        is($page->id('main')->{name}, 'main', "$name: which are there");

        my %names;
        my @regions = grep { ($_->{attr}{role} || '') eq 'region' }
            $page->nodes;
        is(scalar(grep { $names{ $_->{attr}{'aria-label'} }++ } @regions), 0,
            "$name: each region has a name of its own");
        is(scalar(@regions), scalar($page->all('table')),
            "$name: and each table a region");
        is(scalar(grep { $_->{attr}{tabindex} ne '0' } @regions), 0,
            "$name: that can be scrolled by keys");
        is(scalar(grep { !UxPage::below($_, 'caption') }
            $page->all('table')), 0, "$name: and a caption");
        is(scalar(grep { !$_->{attr}{scope} } $page->all('th')), 0,
            "$name: each heading has a scope");
        is(scalar(grep { ($_->{attr}{'aria-hidden'} || '') ne 'true' }
            $page->all('svg')), 0,
            "$name: drawings are for the eye, figures are beside them");
    }

    is_deeply([ map { $_->{attr}{href} } UxPage::below(
        ($main->all('nav'))[0], 'a') ],
        [ '#experiment-shop-layout', '#experiment-other-banner' ],
        'a list of all experiments');

    return;
}


sub nothing_is_asked_of_anybody_else
{
    my @bad;

    for my $node (map { $_->nodes } $main, $alone) {
        push @bad, map { "$node->{name} $_" }
            grep { /^(?:style|on.*|action|formaction|srcdoc)\z/ }
            keys %{ $node->{attr} };
        push @bad, 'a script of its own'
            if $node->{name} eq 'script' && UxPage::text($node) ne '';
        push @bad, grep { $_ !~ m{^(?:/uxstats(?:/|\z)|\#|data:,)} }
            grep { defined } @{ $node->{attr} }{qw(href src data-history
                data-json)};
    }

    is_deeply(\@bad, [], 'no style, no script, no place but ours');

    my %links = map { $_->{attr}{href} // $_->{attr}{src} // '' => 1 }
        map { $_->nodes } $main, $alone;
    my @expected = qw(/uxstats /uxstats/api/1/ /uxstats/export.csv
        /uxstats/metrics /uxstats/experiment/shop/layout
        /uxstats/experiment/other/banner);

    is_deeply([ grep { !$links{$_} } @expected ], [], 'all links are there');

    for my $path (grep { m{^/} && !m{/assets/} } sort keys %links) {
        is($t->get($path)->status, 200, "and $path leads somewhere");
    }

    my $article = $main->id('experiment-shop-layout');
    is($article->{attr}{'data-json'},
        '/uxstats/api/1/zones/shop/experiments/layout', 'its JSON');
    is($article->{attr}{'data-history'}, '/uxstats/history/shop/layout',
        'its history');

    return;
}


sub it_says_what_may_be_concluded
{
    my $layout = $json->{zones}{shop}{experiments}{layout};

    for my $page ($main, $alone) {
        my $article = $page->id('experiment-shop-layout');

        is(UxPage::text($page->id('experiment-shop-layout-summary')),
            $layout->{summary}, 'the summary of the JSON');
        is($article->{attr}{'data-verdict'}, 'collecting', 'its verdict');
        is(UxPage::text($page->id('experiment-shop-layout-verdict')),
            'Not yet', 'in words');
        is(UxPage::text($page->id('experiment-shop-layout-state')),
            'Running', 'its state');
        is(UxPage::text($page->id('experiment-shop-layout-srm')),
            'Sample ratio in order', 'its sample ratio');
        is(scalar(UxPage::below($page->id('experiment-shop-layout-waiting'),
            'li')), scalar @{ $layout->{waiting_for} },
            'what it waits for');
    }

    is($layout->{summary}, 'Not yet: it is too early to say how long the '
        . 'planned visitors take; at least 7 more days, the minimum runtime.',
        'and that is true');
    is(UxPage::text($main->id('experiment-other-banner-summary')),
        'Not yet: nobody has been counted so far.', 'of another one as well');

    return;
}


sub at
{
    my ($node, $path) = @_;

    for my $name (grep { $_ ne '' } split m{/}, $path) {
        $node = ref $node eq 'ARRAY' ? $node->[$name]
            : ref $node eq 'HASH' ? $node->{$name} : undef;
    }

    return $node;
}


# Rows of a table against nodes of the document.
sub rows_are
{
    my ($name, $article, $caption, $figures, %nodes) = @_;

    my $table = eval { UxPage::table($article, $caption) };
    ok($table, "$name: $caption") or return diag $@;

    is_deeply([ sort @{ $table->{names} } ], [ sort keys %nodes ],
        "$name: $caption: its rows");

    for my $row (sort keys %nodes) {
        my @wrong;

        for my $figure (@$figures) {
            my ($column, $kind, $path) = @$figure;
            my $value = at($nodes{$row}, $path);
            my $expected = UxPage::printed($kind, $value);
            my $shown = $table->{rows}{$row}{$column} // 'nothing';
            my $by = ref $value eq 'ARRAY' ? $value->[0] : $value;
            my $sort = $table->{sort}{$row}{$column};

            push @wrong, "$column: $shown, not $expected"
                if $shown ne $expected;
            push @wrong, "$column is sorted by $sort"
                if defined $sort && $sort != $by;
        }

        is_deeply(\@wrong, [], "$name: $caption: $row: its "
            . @$figures . ' figures');
    }

    return $table;
}


sub figures_are_those_of_json
{
    my ($article, $document, $name) = @_;

    my $layout = $document->{zones}{shop}{experiments}{layout};
    my $of = $layout->{variants};

    my $table = rows_are($name, $article, 'Variants, and the goal purchase',
        $TABLES{variants}, 'control (control)' => $of->{control},
        'one_page' => $of->{one_page});
    is(scalar(grep { defined } values %{ $table->{sort}{one_page} }), 9,
        "$name: and all that has a number can be sorted by it");

    for my $metric (sort keys %{ $of->{control}{metrics} }) {
        my $type = $of->{control}{metrics}{$metric}{type};
        rows_are($name, $article, "Metric $metric", $TABLES{$type},
            map { $_ => $of->{$_}{metrics}{$metric} } keys %$of);
    }

    is(UxPage::table($article, 'Comparison with the control in purchase')
        ->{rows}{one_page}{Level}, '95.0 %', "$name: the intervals' level");

    my $guard = UxPage::table($article, 'Metric add_to_cart');
    is($guard->{rows}{one_page}{Guardrail}, 'unclear', "$name: a guardrail");

    rows_are($name, $article, 'Steps of checkout', $TABLES{steps},
        map { my $v = $_; my $i = 0;
            map { ("$_/$v" => $of->{$v}{funnels}{checkout}{steps}[$i++]) }
            'view_item, optional', 'add_to_cart', 'begin_checkout',
            'purchase' } keys %$of);

    for my $triple ([ 'Web vitals', 'vitals', 'vitals' ],
        [ 'Surveys', 'surveys', 'surveys' ],
        [ 'Stages', 'journey/stages', 'stages' ])
    {
        my ($caption, $section, $figures) = @$triple;
        rows_are($name, $article, $caption, $TABLES{$figures},
            map { my $v = $_; map { ("$_/$v" => at($of->{$v},
                "$section/$_")) } keys %{ at($of->{$v}, $section) } }
            keys %$of);
    }

    rows_are($name, $article, 'All who were assigned, confirmed or not',
        $TABLES{assigned}, %{ $layout->{intention_to_treat}{variants} });
    $table = rows_are($name, $article, 'Stretches of unchanged settings',
        $TABLES{epochs}, map { $_->{epoch} => $_ } @{ $layout->{epochs} });
    is($table->{rows}{1}{Weights}, 'control 50, one_page 50',
        "$name: weights of an epoch");

    for my $caption (sort keys %COMPARED) {
        my ($section, @figures) = @{ $COMPARED{$caption} };
        $table = UxPage::table($article, $caption);

        for my $figure (@figures) {
            my ($row, $kind, $path) = @$figure;
            is($table->{rows}{$row}{$_}, UxPage::printed($kind,
                at($of->{$_}, "$section/$path")),
                "$name: $caption: $row of $_") for sort keys %$of;
        }
    }

    carts_survive($article, $of, $name);

    for my $v (sort keys %$of) {
        my $moves = UxPage::table($article,
            "Moves up to the first purchase, of $v");
        my $expected = $of->{$v}{journey}{before_purchase};
        is($moves->{rows}{start}{buying}, $expected->{start}{buying},
            "$name: moves of $v");
        cmp_ok($expected->{start}{buying}, '>', 0, "$name: there are some");
    }

    my %facts = UxPage::facts($article);
    is($facts{Goal}, 'purchase', "$name: the goal");
    is($facts{'Planned visitors of a pair'}, '10,000', "$name: the plan");
    is($facts{'Minimum runtime'}, '7 d 0 h', "$name: the minimum runtime");
    is($facts{Started}, UxPage::printed(time => $layout->{started_at}),
        "$name: when it began");

    return;
}


# Of the settled carts, how many went on behind each step.
sub carts_survive
{
    my ($article, $of, $name) = @_;

    my $table = UxPage::table($article, 'Carts by furthest step, of checkout');

    for my $v (sort keys %$of) {
        my $carts = $of->{$v}{funnels}{checkout}{carts};
        my $left = $carts->{settled};

        is(scalar(grep { $_ } values %{ $carts->{abandoned_after} }), 2,
            "$name: carts were given up after two steps");

        for my $step (@{ $table->{names} }) {
            my $here = $carts->{abandoned_after}{$step};
            $left -= $here;
            is($table->{rows}{$step}{"$v: carts"}, $here,
                "$name: carts given up after $step, $v");
            is($table->{rows}{$step}{"$v: went on"},
                UxPage::printed(share => $left / $carts->{settled}),
                "$name: carts that went on");
        }

        is($left, $carts->{purchased}, "$name: all others were bought");
    }

    return;
}


sub segments_are_those_of_json
{
    my $of = $json->{zones}{shop}{experiments}{layout}{variants};
    my $fold = $alone->id('experiment-shop-layout-segments-device');
    my @values = qw(phone desktop other);

    my %rows = map { my $v = $_; map { ("$_/$v" =>
        $of->{$v}{segments}{device}{$_}) } @values } keys %$of;

    rows_are('segments', $fold, 'Visitors', [ [ 'Visitors', 'count',
        'visitors' ], [ 'Assigned', 'count', 'assigned' ],
        [ 'Sessions', 'count', 'sessions/sessions' ] ], %rows);
    rows_are('segments', $fold, 'Metric purchase', [
        [ 'Converted', 'count', 'visitors' ], [ 'Rate', 'share', 'rate' ],
        [ 'Rate, 95 % at one look', 'share', 'rate_ci' ],
        [ 'Lift', 'lift', 'vs_control/lift' ] ],
        map { $_ => $rows{$_}{metrics}{purchase} } keys %rows);
    rows_are('segments', $fold, 'Metric revenue', [
        [ 'Sum', 'money', 'sum' ], [ 'Per visitor', 'number', 'mean' ] ],
        map { $_ => $rows{$_}{metrics}{revenue} } keys %rows);

    my $steps = UxPage::table($fold, 'Steps of checkout');
    is($steps->{rows}{'phone/add_to_cart, one_page'}{Visitors},
        $rows{'phone/one_page'}{funnels}{checkout}{steps}[1]{visitors},
        'segments: a step of a value');
    is(scalar @{ $steps->{names} }, 3 * 4 * 2, 'segments: all steps');
    is(UxPage::table($fold, 'Does the effect differ?')->{rows}
        {'purchase/one_page'}{Values}, at($json->{zones}{shop}{experiments}
        {layout}, 'segments/device/purchase/one_page/values'),
        'segments: differences of effects');

    ok(!eval { $main->id('experiment-shop-layout-segments-device') },
        'segments: are not on the page of all');

    return;
}


sub zones_are_those_of_json
{
    my $zone = $json->{zones}{shop};
    my $section = $main->id('zone-shop');

    my $events = UxPage::table($section, 'Events in shop');
    is($events->{rows}{$_}{Count}, $zone->{events}{$_}, "zone: $_")
        for sort keys %{ $zone->{events} };

    my $discarded = UxPage::table($section, 'Not counted in shop');
    is(scalar @{ $discarded->{names} }, scalar keys %{ $zone->{discarded} },
        'zone: all that is not counted');
    is($discarded->{rows}{Bots}{Count}, $zone->{discarded}{bot},
        'zone: bots');

    my $requests = UxPage::table($section, 'Requests in shop');
    is($requests->{rows}{Requests}{All}, $zone->{http}{requests},
        'zone: requests');
    is(UxPage::table($section, 'Vitals in shop')->{rows}{LCP}{Poor},
        $zone->{vitals}{LCP}{poor}, 'zone: vitals');

    my %facts = UxPage::facts($main->id('zone-shop-more'));
    is($facts{'Visitors with a record'}, $zone->{visitors}{tracked},
        'zone: visitors');
    is($facts{Size}, '8.0 MiB', 'zone: its size');

    return;
}


# Whatever a cell shows, the document has it, in one of its forms.
sub there_is_no_figure_but_of_json
{
    my %known = map { $_ => 1 } ('', "\x{2013}", 'yes', 'no');

    for my $value (values_of($json->{zones}{shop})) {
        my @kinds = ref $value ? qw(share number lift change points)
            : $value =~ /^-?[\d.]+(?:e-?\d+)?\z/ ? qw(count number change
            money share lost lift points p seconds bytes) : qw(word);

        push @kinds, 'time' if $value =~ /^\d{4}-.*Z\z/;
        $known{ UxPage::printed($_, $value) } = 1 for @kinds;
    }

    my $cells = 0;
    my @other = grep { !$known{$_} } map { $cells++; UxPage::text($_) }
        map { UxPage::below($_, 'td') } UxPage::below(
            $alone->id('experiment-shop-layout'), 'table');

    # words for codes, weights, and shares of carts, which are tested above

    @other = grep { !/^(?:unclear|kept|control\ 50,\ one_page\ 50
        |[\d.]+\ %|too\ few\ visitors|needs\ improvement)\z/x } @other;

    is_deeply(\@other, [], "all of $cells cells are in the JSON");
    cmp_ok($cells, '>', 500, 'which are many');

    return;
}


# Numbers and words of a node, and pairs of numbers.
sub values_of
{
    my ($node) = @_;

    if (ref $node eq 'HASH') {
        return map { values_of($_) } values %$node;
    }

    if (ref $node eq 'ARRAY') {
        my $pair = @$node == 2 && defined $node->[0] && !ref $node->[0]
            && $node->[0] =~ /^-?\d/;
        return (($pair ? $node : ()), map { values_of($_) } @$node);
    }

    return defined $node && !ref $node ? $node : ();
}


sub accept_decides
{
    my $json_type = 'application/json';

    my %wanted = (
        '' => $json_type,
        '*/*' => $json_type,
        'application/json' => $json_type,
        'text/html;q=0.5, application/json' => $json_type,
        'text/plain' => $json_type,
        'text/html;q=0' => $json_type,
        'text/html' => $HTML,
        'TEXT/HTML' => $HTML,
        'text/*' => $HTML,
        $BROWSER => $HTML,
        'application/json;q=0.5, text/html;q=0.6' => $HTML,
    );

    for my $accept (sort keys %wanted) {
        for my $path ('/uxstats', '/uxstats/') {
            my $response = $t->get($path,
                $accept ne '' ? ('Accept' => $accept) : ());
            is($response->header('Content-Type'), $wanted{$accept},
                "accept: \"$accept\" of $path");
            is($response->header('Vary'), 'Accept', 'accept: Vary');
        }
    }

    is($t->get('/uxstats/api/1/', 'Accept' => $BROWSER)
        ->header('Content-Type'), $json_type, 'accept: an API is one');
    is($t->get('/uxstats/experiment/shop/layout')->header('Content-Type'),
        $HTML, 'accept: a page is one');

    return;
}


sub headers_and_methods
{
    for my $path ('/uxstats', '/uxstats/', '/slashed/',
        '/uxstats/experiment/shop/layout', '/uxstats?x=/api/1',
        '/slashed/experiment/other/banner')
    {
        my $response = $t->get($path, 'Accept' => $BROWSER,
            'Range' => 'bytes=0-1');
        my %expected = ('Content-Type' => $HTML,
            'Content-Security-Policy' => $POLICY,
            'Cache-Control' => 'no-store', 'Vary' => 'Accept',
            'X-Content-Type-Options' => 'nosniff',
            'Referrer-Policy' => 'no-referrer');

        is($response->status, 200, "page: $path: whole");
        is($response->header($_), $expected{$_}, "page: $path: $_")
            for sort keys %expected;
        is($response->header($_), undef, "page: $path: no $_")
            for qw(Set-Cookie ETag Last-Modified);

        my $head = $t->head($path, 'Accept' => $BROWSER);
        is($head->status, 200, "page: $path: HEAD");
        is($head->header($_), $expected{$_}, "page: $path: HEAD: $_")
            for sort keys %expected;
        is($t->request('POST', $path, 'Accept', $BROWSER, 'Content-Length', 0)
            ->status, 405, "page: $path: POST");
        is($t->get($path, 'Accept' => $BROWSER, 'Via' => '1.1 proxy')->status,
            403, "page: $path: behind a proxy");
    }

    for my $path (qw(/uxstats/experiment /uxstats/experiment/
        /uxstats/experiment/shop /uxstats/experiment/shop/
        /uxstats/experiment/shop/nope /uxstats/experiment/nope/layout
        /uxstats/experiment/shop/layout/ /uxstats/experiment/shop/layout/x
        /uxstats/experiments/shop/layout /uxstats/page))
    {
        my $response = $t->get($path, 'Accept' => $BROWSER);
        is($response->status, 404, "page: $path is not there");
        is($response->header('Content-Type'), 'application/json',
            "page: $path: says so in JSON");
    }

    # wherever it is, its links lead there

    for my $of ([ '/slashed/', '/slashed', '/slashed' ],
        [ '/o%20d%3C&%22%27d%25/x', "/o d<&\"'d%/x",
            '/o%20d%3C%26%22%27d%25/x' ])
    {
        my ($path, $name, $link) = @$of;
        my $page = page($path);

        is(($page->all('body'))[0]{attr}{'data-stats'}, $name,
            "links of $path: its name");
        ok((grep { ($_->{attr}{href} || '') eq "$link/export.csv" }
            $page->all('a')), "links of $path");
        is($t->get("$link/export.csv")->status, 200,
            "links of $path lead there");
    }

    my $root = UxPage->new(Ux::Connection->new($t->port('PORT_ROOT'))
        ->request('GET', '/', [ 'Accept' => $BROWSER ])->body);
    ok((grep { ($_->{attr}{href} || '') eq '/api/1/' } $root->all('a')),
        'links of the location /');

    return;
}


sub nothing_of_the_request_is_echoed
{
    my $mark = MARKER;
    my @headers = ('Host' => "$mark.example", 'User-Agent' => "<$mark>",
        'Referer' => "http://$mark/\"", 'Cookie' => "ux=$mark; $mark=1",
        'Accept-Language' => $mark, "X-$mark" => $mark,
        'X-UX-Variant' => "layout=$mark");

    for my $query ("?$mark", "?\"><script>$mark</script>", "?lang=$mark",
        "?%0d%0aX-$mark:%20x", "?%00$mark", '?' . $mark x 300, "?#$mark",
        "?zone=$mark&experiment=<$mark>")
    {
        for my $path ('', '/experiment/shop/layout') {
            my $response = $t->get("/uxstats$path$query", @headers,
                'Accept' => "$BROWSER;$mark=\"$mark\"");
            my $name = 'echo: ' . substr "$path$query", 0, 50;

            unlike($response->head . $response->body, qr/\Q$mark\E/i,
                "$name: nothing of it comes back");
            next if $response->status == 400;
            is($response->status, 200, "$name: is answered");
            ok(eval { UxPage->new($response->body) }, "$name: well-formed")
                or diag $@;
        }
    }

    for my $path ("experiment/$mark/layout", "experiment/shop/$mark",
        "experiment/shop%2f$mark", "experiment/%3Cscript%3E$mark",
        "assets/$mark")
    {
        my $response = $t->get("/uxstats/$path", @headers,
            'Accept' => $BROWSER);
        is($response->status, 404, "echo: $path is not there");
        unlike($response->head . $response->body, qr/\Q$mark\E/i,
            "echo: $path: nothing of it comes back");
    }

    return;
}


# Folded, on the page of the experiment alone.
sub the_version_before_is_there
{
    is($json->{zones}{shop}{experiments}{layout}{previous}, undef,
        'version 1 has none before it');
    ok(!eval { $alone->id('previous-shop-layout') }, 'so there is none');

    ok($t->reload(conf => conf(2)), 'version 2');

    my $layout = $t->stats->{zones}{shop}{experiments}{layout};
    my $page = page('/uxstats/experiment/shop/layout');
    my $previous = eval { $page->id('previous-shop-layout') };

    ok($previous, 'now there is one') || return;
    is(UxPage::text($page->id('previous-shop-layout-summary')),
        $layout->{previous}{summary}, 'previous: its summary');
    rows_are('previous', $previous, 'Metric purchase', $TABLES{conversion},
        map { $_ => $layout->{previous}{variants}{$_}{metrics}{purchase} }
        qw(control one_page));
    cmp_ok($layout->{previous}{variants}{control}{visitors}, '>', 0,
        'previous: with its visitors');

    return;
}


# The longest names there may be.
sub names_at_their_limits
{
    my ($s, $long, $a, $b) = UxNames::longest();
    my $page = page('/uxstats', $s);
    my $article = $page->id("experiment-$long->{zone}-$long->{experiment}");
    my $table = UxPage::table($article, "Steps of $long->{funnel}");

    is_deeply([ sort @{ $table->{names} } ],
        [ sort "$long->{event}/$a", "$long->{event}/$b" ],
        'limits: a step by all its names');
    is(scalar(grep { $_->{Visitors} eq '1' } values %{ $table->{rows} }), 1,
        'limits: and its visitor');
    page("/uxstats/experiment/$long->{zone}/$long->{experiment}", $s);
    $s->no_alerts;

    return;
}
