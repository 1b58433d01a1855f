#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What /uxstats says in OpenMetrics, in the older Prometheus format and as CSV:
# read by strict readers, it is what the JSON says, whatever names and requests
# look like.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use UxNames;
use UxOpenMetrics;
use UxTest;

use constant { MARKER => 'zq9marker', REQUESTS => 117 };


my $OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
my $PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
my $CSV = 'text/csv; charset=utf-8; header=present';

my @COLUMNS = qw(zone experiment variant segment metric type visitors events
    value rate_or_mean ci_low ci_high lift lift_low lift_high p_value
    significant);

my $t = Ux::nginx(
    workers => 2,
    files => { 'page.html' => '<p>page</p>' },
    conf => <<'CONF')->start;
ux_zone shop 8m;
ux_zone other 1m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
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
    step purchase;
    cart add_to_cart within=60m;
}

ux_stage buying add_to_cart purchase;
ux_stage support ask;

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose all;

    location / { try_files /page.html =404; }
    location /view { ux_event view_item; try_files /page.html =404; }
    location /cart { ux_event add_to_cart; try_files /page.html =404; }

    location /buy {
        ux_event purchase value=$arg_value id=$arg_id;
        try_files /page.html =404;
    }

    location /refund {
        ux_event refund value=$arg_value;
        try_files /page.html =404;
    }

    location /ask { ux_event ask; try_files /page.html =404; }

    location /answer {
        ux_event nps value=$arg_nps;
        ux_event ces value=$arg_ces;
        try_files /page.html =404;
    }

    location = /beacon { ux_collect; }

    location /uxstats  { ux_stats; }
    location /slashed/ { ux_stats; }
    location /any      { ux_stats any; }
}

server {
    listen 127.0.0.1:%%PORT_ROOT%%;
    location / { ux_stats; }
}
CONF

my %before = all_formats($t, 'an empty zone');
shoppers();
my %something;          # what both variants together have to have
my %after = all_formats($t, 'a busy zone');

values_are_those_of_json();
rows_are_those_of_json();
nothing_is_named_but_what_is_configured();
accept_decides();
paths_and_methods();
nothing_of_the_request_is_echoed();
names_at_their_limits();
$t->no_alerts;

done_testing();


# The same document, or nearly: nobody else is there.
sub all_formats
{
    my ($server, $when) = @_;

    my $json = $server->stats;
    my $metrics = $server->get('/uxstats/metrics')->body;
    my $older = $server->get('/uxstats/metrics', 'Accept' => 'text/plain')
        ->body;
    my $csv = $server->get('/uxstats/export.csv')->body;

    my %of = (json => $json);
    $of{families} = eval { UxOpenMetrics::parse($metrics) };
    ok($of{families}, "$when: OpenMetrics") or diag $@;
    $of{samples} = UxOpenMetrics::samples($of{families} || {});

    my $families = eval { UxOpenMetrics::parse($older, older => 1) };
    ok($families, "$when: Prometheus 0.0.4") or diag $@;
    my %samples = %{ UxOpenMetrics::samples($families || {}) };
    delete @samples{ grep { /_count\{/ } keys %samples };
    is_deeply([ sort keys %samples ], [ sort keys %{ $of{samples} } ],
        "$when: the same series in both");

    $of{rows} = eval { UxOpenMetrics::parse_csv($csv) };
    ok($of{rows}, "$when: CSV") or diag $@;

    return %of;
}


# Counts of each kind, different ones of each variant.
sub shoppers
{
    for my $n (1 .. 40) {
        my $browser = $t->browser;
        $browser->go('/view');
        $browser->go('/cart') if $n % 3;
        $browser->go("/buy?value=1$n.25&id=o$n") if $n % 4 == 1;
        $browser->go('/missing') if $n % 5 == 0;
        $browser->go('/refund?value=2.50') if $n % 8 == 1;
        $browser->go('/ask') if $n % 6 == 0;
        if ($n % 2) {
            $browser->go('/answer?nps=' . $n % 11 . '&ces=' . (1 + $n % 7));
            vitals($browser, $n);
        }
        $browser->close;
    }

    $t->get('/', 'User-Agent' => 'curl/8', 'Accept' => 'text/html');

    # latencies are counted when all is sent
    ok(Ux::wait_until(sub {
        my $http = $t->stats('/zones/shop/http');
        return $http->{requests} == REQUESTS
            && $http->{seconds}{buckets}{all} == REQUESTS;
    }), 'shoppers: all requests are counted');

    return;
}


# As pages tell them, some good and some poor.
sub vitals
{
    my ($browser, $n) = @_;

    my @told = map { { name => $_, value => $_ eq 'CLS' ? $n / 100 : $n * 150,
        id => "v5-$n-$_" } } qw(LCP INP CLS);

    return $t->post('/beacon', JSON::PP->new->encode(\@told),
        'Content-Type' => 'application/json',
        'Cookie' => 'ux=' . $browser->cookie('ux'));
}


# A figure of the document by its path, and what it is called outside.
sub values_are_those_of_json
{
    my $zone = $after{json}{zones}{shop};
    my $layout = $zone->{experiments}{layout};
    my $z = 'zone="shop"';
    my $e = 'experiment="layout"';

    is($zone->{http}{requests}, REQUESTS, 'all requests are there');

    sample("zone_visitors{$z}", $zone->{visitors}{tracked});
    sample("zone_visitors_capacity{$z}", $zone->{visitors}{capacity});
    sample("zone_visitors_provisional{$z}", $zone->{visitors}{provisional});
    sample("zone_size_bytes{$z}", 8 << 20);
    sample("snapshot_age_seconds{$z}", undef);
    sample("snapshot_restored{$z}", 0);
    sample("experiment_epoch{$e,$z}", 1);
    sample("experiment_srm_ok{$e,$z}", 1);
    sample("experiment_srm_p_value{$e,$z}", $layout->{srm}{p_value});
    sample("experiment_alpha_ratio{$e,$z}", 0.05);
    sample("experiment_traffic_ratio{$e,$z}", 1);
    sample("experiment_problem{$e,problem=\"srm\",$z}", undef);
    sample("discarded_total{reason=\"$_\",$z}", $zone->{discarded}{$_})
        for sort keys %{ $zone->{discarded} };
    sample("events_total{event=\"$_\",$z}", $zone->{events}{$_})
        for sort keys %{ $zone->{events} };
    sample("experiment_verdict{$e,nginx_ux_experiment_verdict=\"$_\",$z}",
        $layout->{verdict} eq $_ ? 1 : 0)
        for qw(srm untrusted guardrail variant_better control_better
            no_difference inconclusive stopped collecting);
    sample("experiment_state{$e,nginx_ux_experiment_state=\"$_\",$z}",
        $_ eq 'running' ? 1 : 0)
        for qw(running scheduled paused closed served removed);

    is($zone->{discarded}{bot}, 1, 'a discard');
    cmp_ok($zone->{events}{purchase}, '>', 5, 'events');

    requests('', $z, $zone->{http});
    vitals_of('', $z, $zone->{vitals});
    cmp_ok($zone->{vitals}{LCP}{poor}, '>', 0, 'vitals');
    variant($layout->{variants}{$_}, "$e,$z,variant=\"$_\"")
        for qw(control one_page);

    # in which of them it is, is chance
    cmp_ok($something{$_}, '>', 0, "there is something to tell: $_")
        for sort keys %something;

    my ($build) = grep { /^nginx_ux_build_info/ } keys %{ $after{samples} };
    like($build, qr/^nginx_ux_build_info\{module="\d+\.\d+\.\d+",
        nginx="\d+\.\d+\.\d+",node="[^"]+"\}\z/x, 'versions');

    return;
}


sub variant
{
    my ($variant, $plain) = @_;

    sample("variant_$_" . "{$plain}", $variant->{$_})
        for qw(weight assigned visitors);
    sample("variant_share_ratio{$plain}", 0.5);
    sample("variant_pages{$plain}", $variant->{sessions}{pages});
    requests('variant_', $plain, $variant->{http});
    vitals_of('variant_', $plain, $variant->{vitals});
    told($variant, $plain);

    for my $name (sort keys %{ $variant->{metrics} }) {
        my $metric = $variant->{metrics}{$name};
        my $one = "metric=\"$name\",$plain";
        my $vs = $metric->{vs_control} || {};

        sample("metric_visitors{$one}", $metric->{visitors});
        sample("metric_events_total{$one}", $metric->{events});
        sample("metric_conversion_ratio{$one}", $metric->{rate});
        sample("metric_value{$one}", $metric->{sum});
        sample("metric_mean{$one}", defined $metric->{mean}
            ? $metric->{mean} : $metric->{ratio});
        sample("metric_lift_ratio{$one}", $vs->{lift});
        sample("metric_p_value{$one}", $vs->{p_value});
        sample("metric_significant{$one}",
            exists $vs->{significant} ? 0 : undef);

        for my $bound (0, 1) {
            my $side = "bound=\"" . ('low', 'high')[$bound] . "\",$one";
            my $ci = $metric->{mean_ci} || $metric->{ratio_ci};
            sample("metric_conversion_bound_ratio{$side}",
                $metric->{rate_ci} && $metric->{rate_ci}[$bound]);
            sample("metric_mean_bound{$side}", $ci && $ci->[$bound]);
        }
    }

    my $guard = $variant->{metrics}{add_to_cart}{guardrail};
    sample('metric_guardrail{metric="add_to_cart",'
        . "nginx_ux_metric_guardrail=\"$_\",$plain}",
        defined $guard ? ($guard eq $_ ? 1 : 0) : undef)
        for qw(ok unclear harmed);

    funnel($variant->{funnels}{checkout}, "funnel=\"checkout\",$plain");

    return;
}


sub funnel
{
    my ($funnel, $labels) = @_;

    for my $step (@{ $funnel->{steps} }) {
        my $one = "step=\"$step->{event}\",$labels";
        sample("step_visitors{$one}", $step->{visitors});
        sample("step_visitors_in_order{$one}", $step->{visitors_in_order});
        sample("step_backtracks_total{$one}", $step->{backtracks});
        sample("step_time_seconds{percentile=\"$_\",$one}",
            $step->{seconds}{$_}) for qw(p50 p75 p90);
    }

    my $carts = $funnel->{carts};
    sample("carts{state=\"$_\",$labels}", $carts->{$_})
        for qw(open purchased abandoned);
    sample("carts_settled{$labels}", $carts->{settled});
    sample("carts_abandoned{step=\"add_to_cart\",$labels}",
        $carts->{abandoned_after}{add_to_cart});
    sample("task_completed_visitors{$labels}", $funnel->{task}{completed});
    sample("task_time_seconds{percentile=\"p90\",$labels}",
        $funnel->{task}{seconds}{p90});

    return;
}


sub requests
{
    my ($prefix, $labels, $http) = @_;

    sample($prefix . "http_requests_total{$labels}", $http->{requests});
    sample($prefix . "http_sent_bytes_total{$labels}", $http->{bytes});
    sample($prefix . "http_errors_total{$labels}", $http->{errors});
    sample($prefix . "http_responses_total{status=\"$_\",$labels}",
        $http->{status}{$_})
        for sort keys %{ $http->{status} };

    for my $pair ([ 'request', 'seconds' ], [ 'upstream', 'upstream_seconds' ])
    {
        my $buckets = $http->{ $pair->[1] }{buckets};
        is(scalar keys %$buckets, 14, 'buckets') if $prefix eq '';
        sample("${prefix}http_$pair->[0]_duration_seconds_bucket{le=\""
            . ($_ eq 'all' ? '+Inf' : $_) . "\",$labels}", $buckets->{$_})
            for sort keys %$buckets;
    }

    return;
}


sub vitals_of
{
    my ($prefix, $labels, $vitals) = @_;

    for my $name (sort keys %$vitals) {
        my $vital = $vitals->{$name};
        my $one = "vital=\"$name\",$labels";

        sample($prefix . "vital_values{rating=\"$_\",$one}", $vital->{$_})
            for qw(good needs_improvement poor);
        sample($prefix . "vital_p75{unit=\"$vital->{unit}\",$one}",
            $vital->{p75});
    }

    return;
}


# Surveys, stages, contacts and money of a variant.
sub told
{
    my ($variant, $plain) = @_;

    for my $name (qw(nps csat ces)) {
        my $survey = $variant->{surveys}{$name};
        my $answers = $survey->{distribution};

        sample("survey_score{survey=\"$name\",$plain}", $survey->{score});
        sample("survey_answers{answer=\"$_\",survey=\"$name\",$plain}",
            $answers->{$_}) for sort keys %$answers;
    }

    for my $name (qw(buying support)) {
        my $stage = $variant->{journey}{stages}{$name};
        sample("stage_$_" . "{stage=\"$name\",$plain}", $stage->{$_})
            for qw(visitors events);
        $something{"a stage: $name"} += $stage->{events};
    }

    sample("contact_$_" . "{$plain}", $variant->{contact}{$_})
        for qw(visitors events);

    my $money = $variant->{money};
    sample("$_" . "{$plain}", $money->{$_})
        for qw(orders orders_with_value refunds);
    sample("$_" . "_value{currency=\"$money->{currency}\",$plain}",
        $money->{$_}) for qw(ordered refunded);
    $something{$_} += $money->{$_} for qw(ordered refunded);
    $something{nps} += $variant->{surveys}{nps}{answers};

    return;
}


# undef: there is none.
sub sample
{
    my ($series, $value) = @_;

    # the reader's labels are in the order of their names

    $series =~ s/\{(.*)\}\z/'{' . join(',', sort split ',', $1) . '}'/e;

    my $got = $after{samples}{"nginx_ux_$series"};
    my $same = defined $value ? defined $got && $got == $value
        : !defined $got;

    ok($same, "sample: $series") or diag 'is '
        . (defined $got ? $got : 'not there') . ', expected '
        . (defined $value ? $value : 'none');

    return;
}


sub rows_are_those_of_json
{
    my ($head, @rows) = @{ $after{rows} };

    is_deeply($head, \@COLUMNS, 'CSV: the columns of the contract');

    my @expected;
    for my $row ([ 'shop', 'layout' ], [ 'other', 'banner' ]) {
        my ($zone, $experiment) = @$row;
        my $variants = $after{json}{zones}{$zone}{experiments}{$experiment}
            {variants};
        for my $variant (keys %$variants) {
            my $metrics = $variants->{$variant}{metrics};
            push @expected, map { expected_row([ @$row, $variant, '', $_ ],
                $metrics->{$_}) } keys %$metrics;
        }
    }

    is(scalar @rows, scalar @expected, 'CSV: a row of each metric');
    is_deeply([ sort map { join '|', rounded(@$_) } @rows ],
        [ sort map { join '|', rounded(@$_) } @expected ],
        'CSV: as in the JSON');
    is(scalar @{ $before{rows} }, scalar @{ $after{rows} },
        'CSV: as many when it is empty');

    return;
}


sub expected_row
{
    my ($names, $metric) = @_;

    my $vs = $metric->{vs_control} || {};
    my ($value) = grep { defined } @$metric{qw(rate mean ratio)};
    my ($ci) = grep { defined } @$metric{qw(rate_ci mean_ci ratio_ci)};
    my $significant = !exists $vs->{significant} ? ''
        : $vs->{significant} ? 'true' : 'false';
    my @row = (@$metric{qw(type visitors events)},
        $metric->{sum}, $value, @{ $ci || [ undef, undef ] }, $vs->{lift},
        @{ $vs->{lift_ci} || [ undef, undef ] }, $vs->{p_value}, $significant);

    return [ @$names, map { defined $_ ? $_ : '' } @row ];
}


# As many digits as Perl shows.
sub rounded
{
    return map { /^-?[0-9.]+(?:e[-+]?[0-9]+)?\z/ ? sprintf '%.12g', $_ : $_ }
        @_;
}


# Labels are bounded: no name but of the configuration, and no address.
sub nothing_is_named_but_what_is_configured
{
    my %known = map { $_ => 1 } qw(zone experiment variant metric funnel step
        event reason status state bound percentile le currency problem module
        vital rating unit survey answer stage nginx node
        nginx_ux_experiment_state nginx_ux_experiment_verdict
        nginx_ux_metric_guardrail);
    my %labels;

    for my $family (values %{ $after{families} }) {
        $labels{$_}++ for map { keys %{ $_->[1] } } @{ $family->{samples} };
    }

    is_deeply([ grep { !$known{$_} } sort keys %labels ], [],
        'labels: of these names only');
    is(scalar keys %{ $before{samples} },
        scalar(keys %{ $after{samples} }) - grown(),
        'labels: visitors make no series but of what is null before');

    return;
}


# Families whose figures are null without visitors.
sub grown
{
    my %less = map { $_ => 0 } keys %{ $before{samples} };

    my @new = grep { !exists $less{$_} } keys %{ $after{samples} };
    is_deeply([ grep { !/^nginx_ux_(?:metric_(?:conversion|mean|lift|p_value|
        significant|adjusted)|step_time|task_time|experiment_confirm
        |metric_guardrail|(?:variant_)?vital_p75|survey_score)/x }
        sort @new ], [],
        'labels: what is new is a rate, a time or a comparison');

    return scalar @new;
}


sub accept_decides
{
    my %wanted = (
        '' => $OPENMETRICS,
        '*/*' => $OPENMETRICS,
        'application/json' => $OPENMETRICS,
        'text/plain' => $PROMETHEUS,
        'text/plain;version=0.0.4;q=1,*/*;q=0.1' => $PROMETHEUS,
        'text/*' => $PROMETHEUS,
        'application/openmetrics-text' => $OPENMETRICS,
        'application/openmetrics-text;version=1.0.0,'
            . 'application/openmetrics-text;version=0.0.1;q=0.75,'
            . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1' => $OPENMETRICS,
        'application/openmetrics-text;version=0.0.1,'
            . 'text/plain;version=0.0.4;q=0.5' => $PROMETHEUS,
    );

    for my $accept (sort keys %wanted) {
        my $response = $t->get('/uxstats/metrics',
            $accept ne '' ? ('Accept' => $accept) : ());
        is($response->header('Content-Type'), $wanted{$accept},
            "accept: \"$accept\"");
        is($response->header('Vary'), 'Accept', "accept: \"$accept\": Vary");
        is($response->body =~ /# EOF\n\z/ ? $OPENMETRICS : $PROMETHEUS,
            $wanted{$accept}, "accept: \"$accept\": and is that");
    }

    is($t->get('/uxstats/metrics', 'Accept' => 'application/openmetrics-text'
        . ';q=0.5', 'Accept' => 'text/plain;q=0.6')->header('Content-Type'),
        $PROMETHEUS, 'accept: on two lines');
    is($t->get('/uxstats/export.csv', 'Accept' => 'text/html')
        ->header('Content-Type'), $CSV, 'accept: there is one CSV');

    return;
}


sub paths_and_methods
{
    for my $path (qw(/uxstats/metrics /uxstats/export.csv /slashed/metrics
        /slashed/export.csv /any/metrics /uxstats/metrics?x=/api/1
        /uxstats//metrics))
    {
        my $response = $t->get($path, 'Range' => 'bytes=0-1',
            'If-Modified-Since' => 'Sun, 06 Nov 2044 08:49:37 GMT');
        my $name = "path: $path";

        is($response->status, 200, "$name is there, whole");
        is($response->header('Cache-Control'), 'no-store', "$name: no-store");
        is($response->header('X-Content-Type-Options'), 'nosniff',
            "$name: nosniff");
        like($response->header('Content-Security-Policy'),
            qr/default-src 'none'.*frame-ancestors 'none'/, "$name: policy");
        is($response->header($_), undef, "$name: no $_")
            for qw(Set-Cookie ETag Last-Modified Access-Control-Allow-Origin);

        my $head = $t->head($path);
        is($head->status, 200, "$name: HEAD");
        is($head->header('Content-Type'), $response->header('Content-Type'),
            "$name: HEAD says what it is");
        is($t->get($path, 'Via' => '1.1 proxy')->status,
            $path =~ m{^/any} ? 200 : 403, "$name: behind a proxy");
        is($t->request('POST', $path, 'Content-Length', 0)->status, 405,
            "$name: POST");
    }

    is(Ux::Connection->new($t->port('PORT_ROOT'))->request('GET', '/metrics')
        ->status, 200, 'path: of a location /');
    like($t->get('/uxstats/export.csv')->header('Content-Disposition'),
        qr/^attachment; filename="[a-z.]+"\z/, 'CSV: is a file');

    for my $path (qw(/uxstatsmetrics /uxstats/metrics/ /uxstats/metricsx
        /uxstats/metric /uxstats/export /uxstats/export.csv/
        /uxstats/Metrics /uxstats/api/1/metrics /uxstats/metrics/zones))
    {
        my $response = $t->get($path);
        is($response->status, 404, "path: $path is not there");
        is($response->header('Content-Type'), 'application/json',
            "path: $path: says so in JSON") if $path =~ m{/uxstats/};
    }

    return;
}


sub nothing_of_the_request_is_echoed
{
    my $mark = MARKER;
    my @headers = ('Host' => "$mark.example", 'User-Agent' => "<$mark>",
        'Referer' => "http://$mark/\"", 'Cookie' => "ux=$mark; $mark=1",
        'Accept-Language' => $mark, "X-$mark" => $mark,
        'X-UX-Variant' => "layout=$mark");

    for my $query ("?$mark", "?callback=$mark", "?format=<$mark>",
        "?name[]=$mark", "?\"><script>$mark</script>", "?%0d%0aX-$mark:%20x",
        "?%00$mark", '?' . $mark x 300, "?collect[]=$mark&x={\"$mark\"}")
    {
        for my $path (qw(metrics export.csv)) {
            for my $accept ("text/$mark", 'text/plain', "*/*;$mark=\"$mark\"")
            {
                my $response = $t->get("/uxstats/$path$query", @headers,
                    'Accept' => $accept);
                my $name = 'echo: ' . substr "$path$query $accept", 0, 50;

                unlike($response->head . $response->body, qr/\Q$mark\E/i,
                    "$name: nothing of it comes back");
                next if $response->status == 400;
                is($response->status, 200, "$name: is answered");
                ok(eval { strictly($response) }, "$name: strictly") or diag $@;
            }
        }
    }

    for my $path ("metrics/$mark", "metrics%22$mark", "export.csv%0a$mark",
        "$mark/metrics", "api/1/metrics/$mark")
    {
        my $response = $t->get("/uxstats/$path", @headers);
        is($response->status, 404, "echo: $path is not there");
        unlike($response->head . $response->body, qr/\Q$mark\E/i,
            "echo: $path: nothing of it comes back");
    }

    return;
}


sub strictly
{
    my ($response) = @_;

    my $type = $response->header('Content-Type');

    return $type eq $CSV ? UxOpenMetrics::parse_csv($response->body)
        : UxOpenMetrics::parse($response->body, older => $type eq $PROMETHEUS);
}


# The longest names there may be, of all that they may be of.
sub names_at_their_limits
{
    my ($s, $long, $a, $b) = UxNames::longest();
    my %of = all_formats($s, 'limits');
    my ($in) = grep { $of{json}{zones}{ $long->{zone} }{experiments}
        { $long->{experiment} }{variants}{$_}{visitors} } $a, $b;
    my $labels = "experiment=\"$long->{experiment}\","
        . "funnel=\"$long->{funnel}\",step=\"$long->{event}\","
        . "variant=\"$in\",zone=\"$long->{zone}\"";

    is($of{samples}{"nginx_ux_step_visitors{$labels}"}, 1,
        'limits: a step by all its names');
    is(scalar(grep { $_->[1] eq $long->{experiment} && $_->[2] eq $in
        && $_->[4] eq $long->{event} && $_->[6] == 1 } @{ $of{rows} }), 1,
        'limits: and its row');
    $s->no_alerts;

    return;
}
