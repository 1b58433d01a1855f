#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A real Prometheus reads /uxstats/metrics: by the configuration, the rules
# and the dashboard of conf-examples/prometheus, and to the JSON's numbers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use POSIX ();
use Test::More;
use UxShopper;
use UxTest;


my $examples = Ux::root() . '/conf-examples/prometheus';

my ($prometheus, $promtool) = map { my $of = $_;
    (grep { -x } map { "$_/$of" } split /:/, $ENV{PATH})[0] }
    qw(prometheus promtool);

plan skip_all => 'there is no prometheus: apt-get install prometheus'
    unless $prometheus && $promtool;
plan skip_all => 'this is a run under sanitizers already'
    if $ENV{TEST_NGINX_PRELOAD};

my $t = Ux::nginx(conf => <<'CONF')->start;
keepalive_requests 1000000;
ux_zone shop 4m snapshot=%%DIR%%/snapshots;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    guardrail revenue margin=50%;
    min_runtime 0;
    window off;
}

ux_funnel checkout {
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $arg_v;
    ux_expose all requests=any;

    location / {
        ux_event add_to_cart if=$arg_buys;
        ux_event purchase value=10.50 id=$arg_v if=$arg_buys;
        return 204;
    }
}

server {
    listen 127.0.0.1:%%PORT_STATS%%;
    location /uxstats { ux_stats; }
}
CONF

my @paths = map { "/?v=$_" . (UxShopper::chance('buys', $_) < 0.3
    ? '&buys=1' : '') } 1 .. 1200;

UxShopper::visit($t->port, \@paths);

# nothing of it changes any more once a snapshot of all is there
ok(Ux::wait_until(sub {
    my $zone = $t->stats_of;
    return $zone->{http}{requests} == 1200
        && defined $zone->{snapshot}{age_seconds};
}), 'all requests are counted, and in a snapshot');

my $target = '127.0.0.1:' . $t->port('PORT_STATS');
my $port = Ux::free_port();
my $pid;
my $owner = $$;

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);

promtool_is_content();
start_prometheus();
numbers_are_those_of_json();
rules_are_known();
panels_load();
end_prometheus();
$t->no_alerts;

done_testing();

END { end_prometheus() if $pid && $$ == $owner }


sub end_prometheus
{
    local $?;

    kill TERM => $pid;
    waitpid $pid, 0;
    $pid = 0;

    return;
}


sub Ux::Nginx::stats_of
{
    my ($self) = @_;

    return Ux::Connection->new($self->port('PORT_STATS'))
        ->request('GET', '/uxstats')->json->{zones}{shop};
}


sub promtool_is_content
{
    my $text = Ux::Connection->new($t->port('PORT_STATS'))
        ->request('GET', '/uxstats/metrics', [ 'Accept' => 'text/plain' ])
        ->body;
    my $file = $t->dir . '/metrics.txt';
    Ux::_write($file, $text);

    my $said = `'$promtool' check metrics <'$file' 2>&1`;
    is("$? $said", '0 ', 'promtool check metrics: nothing to say');

    $said = `'$promtool' check rules '$examples/rules.yml' 2>&1`;
    is($?, 0, 'promtool check rules') or diag $said;

    $said = `'$promtool' check config '$examples/prometheus.yml' 2>&1`;
    is($?, 0, 'promtool check config') or diag $said;

    return;
}


# The example, but for the server's address and the clock.
sub start_prometheus
{
    my $dir = $t->dir;
    my $text = Ux::_read("$examples/prometheus.yml");

    is($text =~ s/127\.0\.0\.1:80\b/$target/, 1, 'the example has a target');
    $text =~ s/(_interval): 15s/$1: 1s/g;
    $text =~ s/\brules\.yml/$examples\/rules.yml/;
    Ux::_write("$dir/prometheus.yml", $text);

    $pid = fork;
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/prometheus.log" or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;
        { no warnings; exec $prometheus, "--config.file=$dir/prometheus.yml",
            "--storage.tsdb.path=$dir/tsdb",
            "--web.listen-address=127.0.0.1:$port"; }
        POSIX::_exit(127);
    }

    # two scrapes, so that there are rates
    ok(Ux::wait_until(sub {
        my $result = query('count_over_time(up{job="nginx-ux"}[5m])');
        return $result && @$result && $result->[0]{value}[1] >= 3;
    }, 60), 'Prometheus scrapes') or diag Ux::_read("$dir/prometheus.log");

    ok(Ux::wait_until(sub {
        my $up = value('up{job="nginx-ux"}');
        return defined $up && $up == 1;
    }, 60), 'and takes what it is told');

    my $targets = ask('/api/v1/targets');
    is($targets->{data}{activeTargets}[0]{lastError}, '', 'without an error');

    return;
}


sub ask
{
    my ($path) = @_;

    my $response = eval { Ux::Connection->new($port)->request('GET', $path) };

    return undef unless $response;

    return eval { JSON::PP->new->utf8->decode($response->body) };
}


# The vector, undef if the query is refused.
sub query
{
    my ($query) = @_;

    $query =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge;
    my $answer = ask("/api/v1/query?query=$query");

    return $answer && $answer->{status} eq 'success'
        ? $answer->{data}{result} : undef;
}


sub value
{
    my ($query) = @_;

    my $result = query($query);

    return $result && @$result == 1 ? $result->[0]{value}[1] : undef;
}


sub numbers_are_those_of_json
{
    my $zone = $t->stats_of;
    my $layout = $zone->{experiments}{layout};
    my %expected = (
        'nginx_ux_zone_visitors' => 1200,
        'nginx_ux_events_total{event="purchase"}'
            => $zone->{events}{purchase},
        'sum(nginx_ux_variant_visitors)' => 1200,
        'nginx_ux_http_requests_total' => 1200,
        'nginx_ux_http_request_duration_seconds_bucket{le="+Inf"}' => 1200,
        'nginx_ux_experiment_verdict'
            . "{nginx_ux_experiment_verdict=\"$layout->{verdict}\"}" => 1,
        'sum(nginx_ux_experiment_verdict)' => 1,
        'count(nginx_ux_build_info)' => 1,
        'nginx_ux_snapshot_age_seconds < bool 3600' => 1,
    );

    for my $name (qw(control one_page)) {
        my $variant = $layout->{variants}{$name};
        my $in = "variant=\"$name\"";
        $expected{"nginx_ux_variant_assigned{$in}"} = $variant->{assigned};
        $expected{"nginx_ux_metric_visitors{$in,metric=\"purchase\"}"}
            = $variant->{metrics}{purchase}{visitors};
        $expected{"nginx_ux_metric_conversion_ratio{$in,metric=\"purchase\"}"}
            = $variant->{metrics}{purchase}{rate};
        $expected{"nginx_ux_metric_value{$in}"}
            = $variant->{metrics}{revenue}{sum};
        $expected{"nginx_ux_metric_mean{$in}"}
            = $variant->{metrics}{revenue}{mean};
        $expected{"nginx_ux_carts{$in,state=\"purchased\"}"}
            = $variant->{funnels}{checkout}{carts}{purchased};
    }

    my $versus = $layout->{variants}{one_page}{metrics}{purchase}{vs_control};
    my $metric = '{metric="purchase"}';
    is($versus->{status}, 'ok', 'there is enough to compare');
    $expected{"nginx_ux_metric_lift_ratio$metric"} = $versus->{lift};
    $expected{"nginx_ux_metric_p_value$metric"} = $versus->{p_value};
    $expected{'nginx_ux_metric_lift_bound_ratio{bound="high",'
        . 'metric="purchase"}'} = $versus->{lift_ci}[1];

    for my $query (sort keys %expected) {
        my $got = value($query);
        ok(defined $got && abs($got - $expected{$query})
            <= 1e-12 * abs $expected{$query}, "a query: $query")
            or diag defined $got ? $got : 'none', " and $expected{$query}";
    }

    return;
}


sub rules_are_known
{
    my $answer = ask('/api/v1/rules');
    my @rules = map { @{ $_->{rules} } } @{ $answer->{data}{groups} };

    is(scalar @rules, 6, 'rules are loaded');

    for my $rule (@rules) {
        exists_all("rule $rule->{name}", $rule->{query});
        my $now;
        ok(Ux::wait_until(sub {
            my $told = ask('/api/v1/rules');
            ($now) = grep { $_->{name} eq $rule->{name} }
                map { @{ $_->{rules} } } @{ $told->{data}{groups} || [] };
            return $now && $now->{health} eq 'ok';
        }), "rule $rule->{name}: is evaluated");
        is($now && $now->{state}, 'inactive',
            "rule $rule->{name}: nothing to say")
            unless $rule->{name} eq 'UxNoAssignments';
    }

    return;
}


# Names that Prometheus does not have are asked for by nobody.
sub exists_all
{
    my ($what, $query) = @_;

    my %names = map { $_ => 1 }
        @{ ask('/api/v1/label/__name__/values')->{data} };
    my @asked = $query =~ /\b(nginx_ux_\w+)(?=\s*[\{\[\s)]|\z)/g;

    is_deeply([ grep { !$names{$_} } @asked ], [], "$what: all names exist");

    return;
}


sub panels_load
{
    my $dashboard = JSON::PP->new->utf8->decode(
        Ux::_read("$examples/grafana.json"));
    my %all = map { $_->{name} => $_->{allValue} }
        grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} };

    is_deeply([ sort keys %all ], [ qw(experiment metric zone) ],
        'dashboard: variables');

    for my $variable (grep { $_->{type} eq 'query' }
        @{ $dashboard->{templating}{list} })
    {
        my ($query, $label) = $variable->{query}{query}
            =~ /^label_values\((.*), (\w+)\)\z/;
        $query =~ s/\$(\w+)/$all{$1}/g;
        my $found = query("count by ($label) ($query)");
        ok($found && @$found, "dashboard: values of $variable->{name}");
    }

    for my $panel (@{ $dashboard->{panels} }) {
        for my $target (@{ $panel->{targets} }) {
            my $query = $target->{expr};
            my $name = "panel $panel->{title}, $target->{refId}";
            ok($query =~ s/\$(\w+)/$all{$1}/g, "$name: by its variables");
            my $result = query($query);
            ok($result, "$name: loads");
            exists_all($name, $query);

            my %labels = map { $_ => 1 } map { keys %{ $_->{metric} } }
                @{ $result || [] };
            is_deeply([ grep { !$labels{$_} }
                $target->{legendFormat} =~ /\{\{(\w+)\}\}/g ], [],
                "$name: labels of its legend") if $result && @$result;
        }
    }

    return;
}
