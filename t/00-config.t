#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# "nginx -t" catches every mistake: each is refused with the file and line of
# the directive itself, the user's word in quotes and what was expected.  And
# what an operator may well write is accepted, with the documented defaults.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my $NAME_TEXT = qr/lower-case letter, then letters, digits or "_", at most 64/;
my $SHARE = qr/expected a share from 0% to 100%/;
my $WEIGHT = qr/expected a weight: digits\[\.digits\] up to 1000000000/;

my $t = Ux::nginx(conf => '');

zones_are_refused();
blocks_are_refused();
variants_are_refused();
shares_are_refused();
experiment_lines_are_refused();
metrics_are_refused();
funnels_are_refused();
limits_are_named();
exposures_are_refused();
events_are_refused();
cookies_are_refused();
secrets_are_refused();
other_directives_are_refused();
contexts_are_refused();
small_zones_are_refused();
good_ones_are_accepted();
defaults_are_documented();
nothing_is_done_unasked();
numbers_do_not_depend_on_processes();

undef $t;
done_testing();


# The configuration is refused, for this word, in the line marked HERE.
sub refused
{
    my ($name, $conf, $word, $expected) = @_;

    my ($passed, $output) = $t->test_config($conf);
    my $line = $t->line_of(qr/# HERE/);
    my ($message) = grep { /\[emerg\]/ } split /\n/, $output;
    my @wrong;

    $message = '' unless defined $message;
    push @wrong, 'it passed' if $passed;
    push @wrong, 'no line is marked' unless $line;
    push @wrong, 'file and line missing'
        unless $message =~ m{ in \S+/test\.conf:\Q@{[ $line || 0 ]}\E(?!\d)};
    push @wrong, 'the word is not quoted'
        unless ref $word ? $message =~ $word : index($message, qq{"$word"})
            >= 0;
    push @wrong, 'not what was expected' unless $message =~ $expected;

    return ok(!@wrong, "refused: $name")
        || diag("$name: @wrong; line " . ($line || '-') . ":\n$output");
}


sub accepted
{
    my ($name, $conf) = @_;

    my ($passed, $output) = $t->test_config($conf);

    ok($passed && $output !~ /\[(?:emerg|alert|crit|error)\]/,
        "accepted: $name") or diag("$name:\n$output");

    return $output;
}


# Lines inside an experiment that has its variants.
sub experiment
{
    my ($lines, $before) = @_;

    return "ux_zone shop 1m;\n" . ($before || '') . <<"CONF";
ux_experiment layout {
    variant control 50;
    variant one_page 50;
    $lines
}
CONF
}


sub funnel
{
    my ($lines) = @_;

    return "ux_zone shop 1m;\nux_funnel checkout {\n    $lines\n}\n";
}


# Lines inside a location, behind an experiment.
sub location
{
    my ($lines, $server) = @_;

    return experiment('') . <<"CONF";
server {
    listen 127.0.0.1:%%PORT%%;
    @{[ $server || '' ]}
    location / {
        $lines
    }
}
CONF
}


sub zones_are_refused
{
    for my $size ('0', '1', '1k', '28k', '511k', '1mm', '', '-1m', 'x', '1.5m',
        '8E', '8388608t', '9223372036854775807', '9007199254740992k',
        '99999999999999999999')
    {
        refused("zone of size '$size'", "ux_zone shop '$size'; # HERE",
            $size, qr/expected at least 512k/);
    }

    refused('a zone without a size', 'ux_zone shop; # HERE', 'shop',
        qr/expected at least 512k/);
    refused('a zone without anything', 'ux_zone; # HERE', 'ux_zone',
        qr/invalid number of arguments/);

    for my $name ('Shop', '1shop', 'my-shop', '', '_x', 'x' x 65) {
        refused("zone name '$name'", "ux_zone '$name' 1m; # HERE", $name,
            $NAME_TEXT);
    }

    my %wrong = (
        'snapshot=' => 'a directory',
        'interval=' => 'a time', 'interval=0' => 'a time',
        'interval=x' => 'a time', 'journeys=-1s' => 'a time',
        'journeys=1x' => 'a time', 'inactive=0' => '1s to 10y',
        'inactive=11y' => '1s to 10y', 'inactive=x' => '1s to 10y',
        'currency=eur' => 'ISO 4217', 'currency=EURO' => 'ISO 4217',
        'currency=XXQ' => 'ISO 4217', 'currency=' => 'ISO 4217',
        'experiments=0' => '1 to 16', 'experiments=17' => '1 to 16',
        'experiments=x' => '1 to 16', 'totals=0' => '1 to 8',
        'totals=9' => '1 to 8', 'totals=-1' => '1 to 8',
        'removed=x' => 'a time', 'retention=0mon' => 'a time',
        'retention=mon' => 'a time', 'snapshots=/x' => 'snapshot=',
        'backup=on' => 'snapshot=', '2m' => 'snapshot=',
    );
    for my $word (sort keys %wrong) {
        refused("zone parameter '$word'", "ux_zone shop 1m $word; # HERE",
            $word, qr/expected .*\Q$wrong{$word}\E/);
    }

    for my $word ('currency=EUR', 'inactive=1d', 'totals=2', 'experiments=8',
        'interval=1s', 'journeys=10s', 'removed=1d', 'retention=2mon',
        'snapshot=%%DIR%%/s')
    {
        my $shown = $word;
        $shown =~ s/%%DIR%%/$t->dir/e;
        refused("zone parameter '$word' twice",
            "ux_zone shop 1m $word $word; # HERE", $shown,
            qr/expected each parameter once/);
    }

    refused('a zone twice', "ux_zone shop 1m;\nux_zone shop 1m; # HERE\n",
        'shop', qr/duplicate zone/);
    refused('a zone of another module',
        "limit_req_zone \$uri zone=shop:1m rate=1r/s;\n"
        . "ux_zone shop 1m; # HERE\n", 'shop',
        qr/already declared for a different use/);
    refused('a zone that another module takes',
        "ux_zone shop 1m;\n"
        . "limit_req_zone \$uri zone=shop:1m rate=1r/s; # HERE\n", 'shop',
        qr/already (?:declared|bound)/);
    refused('33 zones',
        join('', map { "ux_zone z$_ 512k;\n" } 1 .. 32)
        . "ux_zone z33 512k; # HERE\n", 'z33', qr/at most 32/);

    return;
}


sub blocks_are_refused
{
    for my $kind ('ux_experiment', 'ux_funnel') {
        for my $name ('Layout', '1st', 'two words', '', 'a-b', 'a.b', '_a',
            'x' x 65, "a\"b", 'a<b', "caf\xc3\xa9", "a\x00b", "a\rb", '$x')
        {
            my $quoted = $name =~ /"/ ? "'$name'" : "\"$name\"";
            $quoted =~ s/\$/\\\$/;
            refused("$kind named '" . printable($name) . "'",
                "ux_zone shop 1m;\n$kind $quoted { # HERE\n}\n",
                $name =~ /\$/ ? qr/"\\?\$x"/ : $name, $NAME_TEXT);
        }

        refused("$kind without a name", "ux_zone shop 1m;\n$kind { # HERE\n}",
            $kind, qr/invalid number of arguments/);
        refused("$kind without a block",
            "ux_zone shop 1m;\n$kind layout; # HERE", $kind,
            qr/has no opening "\{"/);
        refused("$kind before any zone", "$kind layout { # HERE\n}",
            "$kind layout", qr/no "ux_zone"/);
        refused("$kind in a zone that is not there",
            "ux_zone shop 1m;\n$kind layout zone=other { # HERE\n}",
            "$kind layout", qr/no "ux_zone" "other"/);
        refused("$kind with a word too many",
            "ux_zone shop 1m;\n$kind layout zone=shop x { # HERE\n}",
            $kind, qr/invalid number of arguments/);

        for my $word ('shop', 'zone=', 'zones=shop', 'zone') {
            refused("$kind with '$word'",
                "ux_zone shop 1m;\n$kind layout $word { # HERE\n}", $word,
                qr/expected "zone=NAME"/);
        }
    }

    my $long = 'x' x 1000;
    refused('a name of 1 kB', "ux_zone shop 1m;\nux_experiment $long { # HERE"
        . "\n}", qr/"xxxxx/, $NAME_TEXT);
    refused('an experiment twice', experiment('')
        . "ux_experiment layout { # HERE\nvariant a 1;\nvariant b 1;\n}",
        'layout', qr/duplicate "ux_experiment"/);
    refused('an experiment twice, in another zone',
        experiment('') . "ux_zone b2b 1m;\nux_experiment layout zone=b2b {"
        . " # HERE\nvariant a 1;\nvariant b 1;\n}",
        'layout', qr/duplicate "ux_experiment"/);
    refused('a funnel twice', funnel('step purchase;')
        . "ux_funnel checkout { # HERE\nstep purchase;\n}", 'checkout',
        qr/duplicate "ux_funnel"/);
    refused('an unknown line in an experiment',
        experiment('wieght 3; # HERE'), 'wieght',
        qr/"ux_experiment" "layout".*expected .*variant.*traffic.*goal/);
    refused('a funnel line in an experiment',
        experiment('step purchase; # HERE'), 'step',
        qr/"ux_experiment" "layout".*expected .*variant/);
    refused('an experiment line in a funnel',
        funnel('goal purchase; # HERE'), 'goal',
        qr/"ux_funnel" "checkout".*expected .*step.*cart/);
    refused('a block in an experiment', experiment("variant {} # HERE"),
        qr/"variant"|"\{"/, qr/expected|unexpected/);

    return;
}


sub variants_are_refused
{
    my $head = "ux_zone shop 1m;\n";

    for my $weight ('50%', '-1', '1e9', '0x10', '.', '.5', '5.', 'nan', 'inf',
        '1000000001', '99999999999999999999', '1,5', '+1', '', ' 1',
        '0.' . '0' x 19 . '1', '9' x 3000, "\xd9\xa3")
    {
        my $shown = length $weight > 100 ? qr/"9{100}/ : $weight;
        refused('weight ' . printable($weight),
            experiment("variant third '$weight'; # HERE"), $shown, $WEIGHT);
    }

    for my $name ('1st', '', 'a b', 'a"b', 'a<b', '-a', '.a', '_a', 'a/b',
        'x' x 65, "caf\xc3\xa9", "a\x00b", "a\rb", 'a;b', 'a=b', 'a,b')
    {
        refused("variant named '" . printable($name) . "'",
            experiment("variant '$name' 1; # HERE"), $name,
            qr/expected a variant's name/);
    }

    refused('one variant', $head . "ux_experiment layout { # HERE\n"
        . "variant control 1;\n}\n", 'layout', qr/1 variant: expected 2 to/);
    refused('no variant', $head . "ux_experiment layout { # HERE\n}\n",
        'layout', qr/0 variants: expected 2 to/);
    refused('weights all 0', $head . "ux_experiment layout { # HERE\n"
        . "variant a 0;\nvariant b 0.0;\n}\n", 'layout',
        qr/weight 0: expected at least one above 0/);
    refused('a variant twice', experiment('variant control 1; # HERE'),
        'control', qr/expected each variant once/);
    refused('17 variants', experiment(join("\n",
        map { "variant v$_ 1;" } 3 .. 16) . "\nvariant v17 1; # HERE"),
        'v17', qr/at most 16 variants/);
    refused('a variant without weight', experiment('variant third; # HERE'),
        'variant', qr/expected "variant NAME WEIGHT;"/);
    refused('a variant with a word too many',
        experiment('variant third 1 2; # HERE'), 'variant',
        qr/expected "variant NAME WEIGHT;"/);

    return;
}


# traffic, layer and margin: everything that is a percentage.
sub shares_are_refused
{
    my @wrong = ('-1%', '101%', '100.0001%', '1e2%', '%', '50', '50 %',
        '0x32%', '50%%', '+5%', '.5%', '5.%', 'nan%', '', '5,0%',
        "\xd9\xa5\xd9\xa0%", '99999999999999999999%',
        '0.00000000000000000001%', '5' . '0' x 3000 . '%');

    for my $word (@wrong) {
        my $shown = length $word > 100 ? qr/"50{100}/ : $word;
        refused('traffic ' . printable($word),
            experiment("traffic '$word'; # HERE"), $shown, $SHARE);
        $shown = length $word > 100 ? qr/"margin=50{100}/ : "margin=$word";
        refused('margin ' . printable($word),
            experiment("guardrail refund 'margin=$word'; # HERE"), $shown,
            qr/expected margin=/);
    }

    for my $word (@wrong, '0-101%', '50-0%', '50-50%', '0%-50%', '-50%',
        '0-', '0--50%', '0 - 50%', '0-50', 'all', '0-0%', '100-100%')
    {
        my $shown = length $word > 100 ? qr/"50{100}/ : $word;
        refused('layer ' . printable($word),
            experiment("layer main '$word'; # HERE"), $shown,
            qr/expected a range within 0-100%/);
    }

    refused('10 kB of digits', experiment('traffic ' . '9' x 10240
        . '%; # HERE'), qr/"9999999/, qr/too long parameter/);

    for my $name ('Main', '', 'a-b', 'x' x 65) {
        refused("layer named '$name'", experiment("layer '$name' 0-50%;"
            . ' # HERE'), $name, $NAME_TEXT);
    }

    refused('a layer without a range', experiment('layer main; # HERE'),
        'layer', qr/expected "layer NAME 0-50%;"/);
    refused('overlapping ranges of one layer', experiment('layer main 0-50%;')
        . "ux_experiment banner {\nvariant a 1;\nvariant b 1;\n"
        . "layer main 49.99-100%; # HERE\n}\n", 'banner',
        qr/49\.99-100%.*overlaps 0-50%.*"layout" in layer "main"/);
    refused('a range inside another', experiment('layer main 0-100%;')
        . "ux_experiment other { variant a 1; variant b 1; }\n"
        . "ux_experiment banner {\nlayer main 10-20%; # HERE\nvariant a 1;\n"
        . "variant b 1;\n}\n", 'banner', qr/overlaps 0-100% of "layout"/);

    return;
}


sub experiment_lines_are_refused
{
    my @wrong = (
        [ 'salt', [ '""', "'" . 'x' x 257 . "'" ], qr/1 to 256 characters/ ],
        [ 'version', [ '0', '-1', 'x', '1.5', '1000001', '""',
            '99999999999999999999' ], qr/a number from 1 to 1000000/ ],
        [ 'window', [ '0', '-1d', 'x', '7 d', '""', 'on', 'never', '7dd',
            '99999999999999999999d', '3651d' ],
            qr/expected a time .*like "7d", or "off"/ ],
        [ 'sticky', [ 'yes', 'ON', '1', '""', 'onn' ],
            qr/expected "on" or "off"/ ],
        [ 'alpha', [ '0', '0.51', '1', '5%', '-0.05', '1e-2', 'x', '""',
            '.05' ], qr/expected an error rate above 0, at most 0\.5/ ],
        [ 'planned', [ '0', '-5', '99', 'many', '1e6', '""', '10.5',
            '1000000000001' ], qr/expected visitors .*at least 100/ ],
        [ 'min_runtime', [ 'x', '-1d', '7dd', '""', '200y' ],
            qr/expected a time.*like "7d"/ ],
        [ 'cap', [ '0', '0.00', '-5', 'x', '1e3', '500EUR', '""',
            '99999999999999' ], qr/expected an amount above zero/ ],
    );

    for my $case (@wrong) {
        my ($line, $words, $expected) = @$case;

        for my $word (@$words) {
            my ($shown) = $word =~ /^["']?(.*?)["']?$/;
            $shown = qr/"\Q@{[ substr $shown, 0, 50 ]}\E/
                if length $shown > 100;
            my $quoted = $word =~ /^["']/ ? $word : "'$word'";
            refused("$line $word", experiment("$line $quoted; # HERE"),
                $shown, $expected);
        }

        refused("$line without a word", experiment("$line; # HERE"), $line,
            qr/invalid number of arguments.*expected "$line /);
        refused("$line with two words", experiment("$line 1 2; # HERE"),
            $line, qr/invalid number of arguments.*expected "$line /);
    }

    my %good = (traffic => '20%', salt => 'a', version => 2,
        layer => 'main 0-50%', goal => 'purchase', window => '1d',
        sticky => 'on', alpha => '0.1', planned => 1000, min_runtime => '1d',
        cap => '1.00');
    for my $line (sort keys %good) {
        refused("$line twice",
            experiment("$line $good{$line};\n$line $good{$line}; # HERE"),
            $line, qr/duplicate in "ux_experiment" "layout"/);
    }

    return;
}


sub metrics_are_refused
{
    for my $line ('goal', 'metric', 'guardrail') {
        for my $name ('Purchase', 'add-to-cart', '', '1st', 'x' x 65) {
            refused("$line $name", experiment("$line '$name'; # HERE"), $name,
                qr/an event's name: a lower-case letter/);
        }

        refused("$line without a name", experiment("$line; # HERE"), $line,
            qr/expected "$line EVENT/);
        refused("$line twice for one event", experiment(
            $line eq 'goal' ? 'goal refund refund; # HERE'
            : "$line refund;\n$line refund; # HERE"), 'refund',
            qr/expected each metric once/);
    }

    for my $line ('metric', 'guardrail') {
        for my $word ('better=more', 'better=bigger', 'better=') {
            refused("$line with $word", experiment("$line refund $word;"
                . ' # HERE'), $word,
                qr/expected better=higher or better=lower in /);
        }

        for my $word ('better', 'best=higher',
            'type=median', 'type=', 'lower', 'value=1')
        {
            refused("$line with $word", experiment("$line refund $word;"
                . ' # HERE'), $word, qr/expected .*type=/);
        }

        for my $word ('better=higher', 'type=conversion') {
            refused("$line with $word twice", experiment(
                "$line refund $word $word; # HERE"), $word,
                qr/expected each parameter once/);
        }

        refused("$line with better= both ways", experiment(
            "$line refund better=lower better=higher; # HERE"),
            'better=higher', qr/expected each parameter once/);
        refused("$line of revenue that is no mean", experiment(
            "$line revenue type=conversion; # HERE"), 'type=conversion',
            qr/revenue is a mean/);
    }

    refused('a metric with a margin', experiment(
        'metric refund margin=1%; # HERE'), 'margin=1%',
        qr/expected better= or type=/);
    refused('a guardrail with its margin twice', experiment(
        'guardrail refund margin=1% margin=2%; # HERE'), 'margin=2%',
        qr/expected each parameter once/);
    refused('a goal with parameters', experiment(
        'goal purchase better=lower; # HERE'), 'better=lower',
        qr/an event's name/);
    refused('ten goals', experiment('goal a b c d e f g h i j; # HERE'),
        'goal', qr/expected "goal EVENT \[EVENT \.\.\.\];"/);
    refused('a guardrail that is a goal', experiment(
        "goal purchase;\nguardrail purchase; # HERE"), 'purchase',
        qr/a guardrail that is not also a goal/);
    refused('a metric that is a guardrail', experiment(
        "guardrail nps;\nmetric nps; # HERE"), 'nps',
        qr/a guardrail that is not also a goal/);
    refused('more sums than the record has', experiment(
        "metric nps type=mean;\nmetric nps type=count; # HERE"), 'shop',
        qr/more than 2 sums.*raise its "totals="/);
    refused('a guardrail that is the goal nobody named',
        "ux_zone shop 1m;\nux_experiment layout { # HERE\n"
        . "variant a 1;\nvariant b 1;\nguardrail purchase;\n}\n", 'purchase',
        qr/"layout".*guardrail.*expected a "goal/);
    refused('65 metrics', experiment(
        join('', map { "metric e$_;\n" } 1 .. 57)
        . join('', map { "metric $_;\n" } qw(view_item add_to_cart purchase
            begin_checkout add_shipping_info add_payment_info refund))
        . 'metric revenue; # HERE'), 'revenue', qr/at most 64 metrics/);
    refused('64 metrics and the goal nobody named',
        "ux_zone shop 1m totals=4;\nux_experiment layout { # HERE\n"
        . "variant a 1;\nvariant b 1;\n"
        . join('', map { "metric e$_;\n" } 1 .. 57)
        . join('', map { "metric $_;\n" } qw(view_item add_to_cart
            begin_checkout add_shipping_info add_payment_info refund revenue))
        . "}\n", 'layout', qr/at most 64 metrics.*"goal/);

    return;
}


sub funnels_are_refused
{
    refused('a funnel without steps', "ux_zone shop 1m;\n"
        . "ux_funnel checkout { # HERE\n}\n", 'checkout',
        qr/expected at least one "step EVENT;"/);
    refused('a funnel with nothing but a cart', "ux_zone shop 1m;\n"
        . "ux_funnel checkout { # HERE\ncart add_to_cart;\n}\n", 'checkout',
        qr/expected at least one "step EVENT;"/);

    for my $name ('Purchase', '', 'a-b', '1st', 'x' x 65, 'a"b', "a\x00b") {
        my $shown = printable($name);
        refused("step '$shown'", funnel("step '$name'; # HERE"), $name,
            qr/an event's name: a lower-case letter/);
        refused("cart '$shown'", funnel("step purchase;\ncart '$name';"
            . ' # HERE'), $name, qr/the event that opens a cart/);
    }

    refused('a step without a name', funnel('step; # HERE'), 'step',
        qr/expected "step EVENT \[optional\];"/);
    refused('a step with a wrong word', funnel('step purchase opt; # HERE'),
        'opt', qr/expected "optional"/);
    refused('a step with a word too many',
        funnel('step purchase optional now; # HERE'), 'step',
        qr/expected "step EVENT \[optional\];"/);
    refused('a step twice', funnel("step add_to_cart;\nstep purchase;\n"
        . 'step add_to_cart; # HERE'), 'add_to_cart',
        qr/expected each (?:step|event) once/);
    refused('a cart that purchase opens',
        funnel("step purchase;\ncart purchase; # HERE"), 'purchase',
        qr/the event that opens a cart/);
    refused('two carts', funnel("step purchase;\ncart add_to_cart;\n"
        . 'cart add_to_cart; # HERE'), 'cart',
        qr/duplicate in "ux_funnel" "checkout"/);
    refused('a cart without a name', funnel("step purchase;\ncart; # HERE"),
        'cart', qr/expected "cart EVENT \[within=60m\];"/);

    for my $word ('60m', 'within', 'with=60m') {
        refused("cart ... $word", funnel("step purchase;\n"
            . "cart add_to_cart $word; # HERE"), $word,
            qr/expected "within=60m"/);
    }

    for my $word ('within=', 'within=0', 'within=x', 'within=999ms',
        'within=-1h', 'within=60 m', 'within=3651d')
    {
        refused("cart ... $word", funnel("step purchase;\n"
            . "cart add_to_cart '$word'; # HERE"), $word,
            qr/expected a time .*"within=60m"/);
    }

    return;
}


# One more than there may be, each.
sub limits_are_named
{
    my $zone = "ux_zone shop 4m;\n";
    my $steps = join '', map { "step e$_;\n" } 1 .. 16;

    refused('17 steps in a funnel', funnel("${steps}step e17; # HERE"),
        'e17', qr/at most 16 steps/);
    refused('65 steps in a zone', $zone
        . join('', map { "ux_funnel f$_ {\n$steps}\n" } 1 .. 4)
        . "ux_funnel f5 { # HERE\nstep e1;\n}\n", 'shop',
        qr/65 steps in all: expected at most 64/);
    refused('9 carts', $zone . join('', map {
        "ux_funnel f$_ {\nstep purchase;\ncart add_to_cart;\n}\n" } 1 .. 8)
        . "ux_funnel f9 { # HERE\nstep purchase;\ncart wish;\n}\n", 'shop',
        qr/9 funnels with a cart: expected at most 8/);
    refused('17 funnels', $zone . join('', map {
        "ux_funnel f$_ {\nstep purchase;\n}\n" } 1 .. 16)
        . "ux_funnel f17 { # HERE\nstep purchase;\n}\n", 'f17',
        qr/a zone holds 16/);
    refused('257 experiments', $zone . join('', map {
        "ux_experiment e$_ { variant a 1; variant b 1; }\n" } 1 .. 256)
        . "ux_experiment e257 { # HERE\nvariant a 1; variant b 1;\n}\n",
        'e257', qr/a zone holds 256/);

    # seven names are always there

    my @goals = map { "metric e$_;\n" } 1 .. 57;
    refused('65 event names, a metric', experiment("@goals metric e58;"
        . ' # HERE'), 'e58', qr/at most 64 event names in a zone/);
    refused('65 event names, a step', experiment("@goals")
        . "ux_funnel f {\nstep e58; # HERE\n}\n", 'e58',
        qr/at most 64 event names in a zone/);
    refused('65 event names, a cart', experiment("@goals")
        . "ux_funnel f {\nstep purchase;\ncart e58; # HERE\n}\n", 'e58',
        qr/at most 64 event names in a zone/);
    refused('65 event names, an event', experiment("@goals")
        . "server {\nlocation / {\nux_event e58; # HERE\n}\n}\n", 'e58',
        qr/too many events.*64 names/);

    return;
}


sub exposures_are_refused
{
    refused('ux_expose of nothing', location('ux_expose; # HERE'),
        'ux_expose', qr/invalid number of arguments/);
    refused('ux_expose with requests= only',
        location('ux_expose requests=any; # HERE'),
        qr/"ux_expose requests=any/, qr/expected either names/);

    for my $word ('Layout', 'lay-out', 'requests=all', 'requests=',
        'zone=shop', '""', 'layout=control')
    {
        my ($shown) = $word =~ /^"?(.*?)"?$/;
        refused("ux_expose $word", location("ux_expose $word; # HERE"),
            $shown, qr/expected names of experiments, "all"/);
    }

    for my $words ('all off', 'all layout', 'off layout', 'off requests=any',
        'layout off')
    {
        refused("ux_expose $words", location("ux_expose $words; # HERE"),
            qr/"ux_expose \w+ \.\.\."/, qr/expected either names/);
    }

    for my $words ('all all', 'layout requests=any requests=any',
        'all requests=any requests=navigation')
    {
        my ($word) = $words =~ /(\S+)$/;
        refused("ux_expose $words", location("ux_expose $words; # HERE"),
            $word, qr/expected each parameter once/);
    }

    refused('ux_expose off off', location('ux_expose off off; # HERE'),
        qr/"(?:ux_expose )?off/, qr/expected/);
    refused('ux_expose twice', location("ux_expose all;\n"
        . 'ux_expose layout; # HERE'), 'ux_expose', qr/duplicate/);
    refused('an unknown experiment', location('ux_expose layuot; # HERE'),
        'layuot', qr/expected the name of an "ux_experiment"/);
    refused('an unknown experiment behind a known one',
        location('ux_expose layout banner; # HERE'), 'banner',
        qr/expected the name of an "ux_experiment"/);
    refused('an unknown experiment, exposed before the blocks',
        "server {\nux_expose banner; # HERE\n}\n" . experiment(''), 'banner',
        qr/expected the name of an "ux_experiment"/);
    refused('an experiment exposed twice',
        location('ux_expose layout layout; # HERE'), 'layout', qr/twice/);
    refused('all without a zone', "server {\nux_expose all; # HERE\n}\n",
        'ux_expose all', qr/no "ux_zone"/);
    refused('experiments of two zones', experiment('')
        . "ux_zone b2b 1m;\nux_experiment banner zone=b2b {\nvariant a 1;\n"
        . "variant b 1;\n}\nserver {\nux_expose layout banner; # HERE\n}\n",
        'banner', qr/expected one zone/);

    # a typo is nginx's own error, which knows no line

    for my $name ('ux_variant_layuot', 'ux_reason_layuot', 'ux_vistor') {
        my ($passed, $output) = $t->test_config(
            location("return 200 \"\$$name\";"));
        ok(!$passed && $output =~ /\[emerg\].*unknown "\Q$name\E" variable/,
            "refused: the variable \$$name") or diag($output);
    }

    return;
}


sub events_are_refused
{
    for my $name ('Purchase', '', 'add-to-cart', 'x' x 65, '$event') {
        my $quoted = $name eq '$event' ? '\$event' : $name;
        refused("ux_event '$name'", location("ux_event '$quoted'; # HERE"),
            $name =~ /\$/ ? qr/"\\?\$event"/ : $name, $NAME_TEXT);
    }

    refused('ux_event of nothing', location('ux_event; # HERE'), 'ux_event',
        qr/invalid number of arguments/);

    for my $word ('10', 'amount=10', 'values=10', 'on', 'statuses=200') {
        refused("ux_event purchase $word",
            location("ux_event purchase $word; # HERE"), $word,
            qr/expected value=, currency=, id=, if=, method=, status= or /);
    }

    for my $key ('value', 'currency', 'id', 'if', 'method', 'status', 'zone') {
        refused("ux_event purchase $key=",
            location("ux_event purchase $key=; # HERE"), "$key=",
            qr/expected something behind "="/);
    }

    my %good = (value => '$arg_v', currency => 'EUR', id => '$arg_id',
        if => '$arg_if', method => 'POST', status => '200', zone => 'shop');
    for my $key (sort keys %good) {
        my $word = "$key=$good{$key}";
        refused("ux_event purchase $word twice",
            location("ux_event purchase $word $word; # HERE"), $word,
            qr/expected each parameter once/);
    }

    for my $value ('5x', '-1', 'arg_v', '1e3', '9' x 20) {
        refused("ux_event ... value=$value",
            location("ux_event purchase value=$value; # HERE"),
            "value=$value", qr/expected a variable or an amount/);
    }

    for my $code ('EURO', 'eur', '5', 'arg_c') {
        refused("ux_event ... currency=$code",
            location("ux_event purchase currency=$code; # HERE"),
            "currency=$code", qr/expected a variable or a currency/);
    }

    for my $word ('post', 'FETCH', 'POST,', ',POST', 'POST;GET', 'GET POST') {
        refused("ux_event ... method=$word",
            location("ux_event purchase 'method=$word'; # HERE"),
            "method=$word", qr/expected GET, HEAD, POST, PUT/);
    }

    for my $word ('20', '2000', '600', '099', '6xx', '0xx', '2XX', 'ok',
        '200-', '299-200', '200-600', '200,', '-1', '2x', '200-29x')
    {
        refused("ux_event ... status=$word",
            location("ux_event purchase status=$word; # HERE"),
            "status=$word", qr/expected status codes/);
    }

    refused('ux_event in an unknown zone',
        location('ux_event purchase zone=other; # HERE'), 'zone=other',
        qr/expected the name of an ux_zone/);
    refused('ux_event without a zone',
        "server {\nlocation / {\nux_event purchase; # HERE\n}\n}\n",
        'ux_event purchase', qr/no "ux_zone"/);
    refused('ux_event with an unknown variable',
        location('ux_event purchase value=$; # HERE'), qr/invalid/,
        qr/invalid variable name/);

    for my $directive ('ux_event purchase value=$no_such',
        'ux_event purchase if=$no_such', 'ux_visitor_key $no_such')
    {
        my ($passed, $output) = $t->test_config(location("$directive;"));
        ok(!$passed && $output =~ /unknown "no_such" variable/,
            "refused: $directive") or diag($output);
    }

    return;
}


sub cookies_are_refused
{
    for my $name ('', 'u x', 'u=x', 'u;x', 'u,x', "caf\xc3\xa9", 'x' x 65,
        'u"x')
    {
        refused("ux_cookie '" . printable($name) . "'",
            location('', "ux_cookie '$name'; # HERE"), $name,
            qr/expected letters, digits/);
    }

    my @wrong = (
        [ 'max_age', [ '0', 'x', '', '401d', '-1', '13mon' ],
            qr/a time from 1s to 400d/ ],
        [ 'path', [ '', 'shop', '/a;b', '/a b', '/a,b' ],
            qr/a path that begins with "\/"/ ],
        [ 'domain', [ '', 'a;b', 'a b', "a,b" ], qr/a host name/ ],
        [ 'samesite', [ '', 'lazy', 'on', 'Laxx' ], qr/samesite=Lax/ ],
        [ 'secure', [ '', 'yes', '1' ], qr/secure=auto, secure=on/ ],
    );

    for my $case (@wrong) {
        my ($key, $values, $expected) = @$case;
        for my $value (@$values) {
            refused("ux_cookie ux $key=$value",
                location('', "ux_cookie ux '$key=$value'; # HERE"),
                "$key=$value", qr/expected $expected/);
        }
    }

    my %good = (domain => 'a.example', path => '/', max_age => '1d',
        samesite => 'Lax', secure => 'on');
    for my $key (sort keys %good) {
        my $word = "$key=$good{$key}";
        refused("ux_cookie ux $word twice",
            location('', "ux_cookie ux $word $word; # HERE"), $word,
            qr/expected each parameter once/);
    }

    for my $word ('httponly', 'expires=1d', 'age=1d', 'max-age=1d') {
        refused("ux_cookie ux $word",
            location('', "ux_cookie ux $word; # HERE"), $word,
            qr/expected domain=, path=, max_age=, samesite= or secure=/);
    }

    for my $words ('__Host-ux domain=a.example', '__Host-ux path=/shop',
        '__Host-ux secure=off', '__Secure-ux secure=off',
        'ux samesite=None secure=off')
    {
        my ($name) = $words =~ /^(\S+)/;
        refused("ux_cookie $words", location('', "ux_cookie $words; # HERE"),
            "ux_cookie $name", qr/secure|domain/);
    }

    refused('ux_cookie of nothing', location('', 'ux_cookie; # HERE'),
        'ux_cookie', qr/invalid number of arguments/);
    refused('ux_cookie twice',
        location('', "ux_cookie ux;\nux_cookie other; # HERE"), 'ux_cookie',
        qr/duplicate/);

    return;
}


sub secrets_are_refused
{
    my $good = 'x1y2' x 8;
    my %file = (empty => '', blank => "\n\n\r\n", short => 'x' x 15 . "\n",
        crlf_short => 'x' x 15 . "\r\n", second_short => "$good\nshort\n",
        nine => join('', map { "$good$_\n" } 1 .. 9),
        huge => "$good\n" x 200);

    for my $name (keys %file) {
        Ux::_write($t->dir . "/$name", $file{$name});
        chmod 0600, $t->dir . "/$name";
    }
    mkdir $t->dir . '/folder';
    POSIX::mkfifo($t->dir . '/fifo', 0600);

    my %expected = (missing => qr/cannot open.*No such file/,
        empty => qr/no key.*expected one a line, at least 16 bytes/,
        blank => qr/no key.*expected one a line, at least 16 bytes/,
        short => qr/line 1 .*15 bytes: expected at least 16/,
        crlf_short => qr/line 1 .*15 bytes: expected at least 16/,
        second_short => qr/line 2 .*5 bytes: expected at least 16/,
        nine => qr/too many keys.*expected at most 8/,
        huge => qr/expected (?:less than|at most)/,
        folder => qr/not a regular file/, fifo => qr/not a regular file/);

    for my $name (sort keys %expected) {
        refused("ux_secret, file $name", "ux_zone shop 1m;\n"
            . "ux_secret %%DIR%%/$name; # HERE\n", $t->dir . "/$name",
            $expected{$name});
        my ($passed, $output) = $t->test_config("ux_zone shop 1m;\n"
            . "ux_secret %%DIR%%/$name;\n");
        unlike($output, qr/x1y2|xxxx/, "ux_secret, file $name: no key shown");
    }

    refused('ux_secret of nothing', 'ux_secret; # HERE', 'ux_secret',
        qr/invalid number of arguments/);
    refused('ux_secret of an empty name', "ux_secret ''; # HERE", 'ux_secret',
        qr/expected a file/);
    refused('ux_secret of two files', "ux_secret a b; # HERE", 'ux_secret',
        qr/invalid number of arguments/);

    Ux::_write($t->dir . '/good', "$good\r\n$good-2\n");
    chmod 0600, $t->dir . '/good';
    my $conf = "ux_zone shop 1m;\nux_secret %%DIR%%/good;\n";

    refused('ux_secret twice', $conf . "ux_secret %%DIR%%/good; # HERE\n",
        'ux_secret', qr/duplicate/);

    my $output = accepted('two keys, CRLF', $conf);
    unlike($output, qr/\[warn\]|x1y2/, 'a file of mode 0600: no warning');
    unlike(all_of_it($conf), qr/x1y2/, 'nginx -T shows no key');

    chmod 0644, $t->dir . '/good';
    like(accepted('keys that everybody can read', $conf),
        qr/\[warn\].*\/good".*open to everybody: expected mode 0600/,
        'a warning for a key file that everybody can read');

    return;
}


sub all_of_it
{
    my ($conf) = @_;

    $t->test_config($conf);
    my $command = join ' ', map { "'$_'" } Ux::binary(), '-T', '-p', $t->dir,
        '-e', 'stderr', '-c', $t->dir . '/test.conf';
    my $preload = $ENV{TEST_NGINX_PRELOAD};
    $command = "LD_PRELOAD='$preload' ASAN_OPTIONS=detect_leaks=0 $command"
        if $preload;
    my $output = `$command 2>&1`;

    like($output, qr/configuration file .*test\.conf:/, 'nginx -T speaks');

    return $output;
}


sub other_directives_are_refused
{
    for my $name ('', 'X UX', 'X:UX', 'X_UX', "X-\xc3\xa9", 'x' x 65,
        'X-UX$v')
    {
        my $shown = printable($name);
        (my $quoted = $name) =~ s/\$/\\\$/;
        refused("ux_header '$shown'", location("ux_header '$quoted'; # HERE"),
            $name =~ /\$/ ? qr/"X-UX\\?\$v"/ : $name,
            qr/expected letters, digits and "-", at most 64/);
    }

    refused('ux_header twice', location("ux_header X-A;\nux_header X-B;"
        . ' # HERE'), 'ux_header', qr/duplicate/);

    for my $word ('on', 'off', 'exclude,count', '""') {
        my ($shown) = $word =~ /^"?(.*?)"?$/;
        refused("ux_bots $word", location('', "ux_bots $word; # HERE"),
            $shown, qr/"ux_bots".*expected "exclude" or "count"/);
    }

    for my $word ('yes', '1', '""') {
        my ($shown) = $word =~ /^"?(.*?)"?$/;
        refused("ux_confirm $word", location('', "ux_confirm $word; # HERE"),
            $shown, qr/"ux_confirm".*must be "on" or "off"/);
    }

    for my $word ('all', 'on', 'off', '""', 'Local') {
        my ($shown) = $word =~ /^"?(.*?)"?$/;
        refused("ux_stats $word", location("ux_stats $word; # HERE"),
            $shown, qr/expected "local" or "any"/);
    }

    for my $word ('user_id', 'cookie') {
        refused("ux_visitor_key $word", location("ux_visitor_key $word;"
            . ' # HERE'), $word, qr/"ux_visitor_key".*expected a variable/);
    }

    my %twice = (ux_bots => 'count', ux_confirm => 'on', ux_header => 'X-A',
        ux_visitor_key => '$arg_a');
    for my $directive (sort keys %twice) {
        my $line = "$directive $twice{$directive};";
        refused("$directive twice", location('', "$line\n$line # HERE"),
            $directive, qr/duplicate/);
        refused("$directive of nothing", location('', "$directive; # HERE"),
            $directive, qr/invalid number of arguments/);
        refused("$directive of two words",
            location('', "$directive a b; # HERE"), $directive,
            qr/invalid number of arguments/);
    }

    refused('ux_stats twice', location("ux_stats;\nux_stats any; # HERE"),
        'ux_stats', qr/duplicate/);
    refused('ux_stats of two words', location('ux_stats local any; # HERE'),
        'ux_stats', qr/invalid number of arguments/);
    refused('an unknown directive', location('', 'ux_exposes all; # HERE'),
        'ux_exposes', qr/unknown directive/);

    return;
}


sub contexts_are_refused
{
    my $not_here = qr/directive is not allowed here/;
    my %good = (ux_zone => 'ux_zone b 1m;', ux_secret => 'ux_secret a;',
        ux_experiment => 'ux_experiment b { variant a 1; variant b 1; }',
        ux_funnel => 'ux_funnel b { step purchase; }',
        ux_cookie => 'ux_cookie a;', ux_bots => 'ux_bots count;',
        ux_confirm => 'ux_confirm on;', ux_event => 'ux_event purchase;',
        ux_stats => 'ux_stats;', ux_expose => 'ux_expose all;',
        ux_header => 'ux_header X-A;',
        ux_visitor_key => 'ux_visitor_key $uri;');

    my %wrong = (
        server => [ qw(ux_zone ux_secret ux_experiment ux_funnel ux_event
            ux_stats) ],
        location => [ qw(ux_zone ux_secret ux_experiment ux_funnel ux_cookie
            ux_bots ux_confirm) ],
        http => [ qw(ux_event ux_stats) ],
        if => [ sort keys %good ],
        limit_except => [ sort keys %good ],
        upstream => [ sort keys %good ],
    );
    my %frame = (
        server => sub { location('', $_[0]) },
        location => sub { location($_[0]) },
        http => sub { experiment('') . $_[0] },
        if => sub { location("if (\$arg_a) {\n$_[0]\n}") },
        limit_except => sub { location("limit_except GET {\n$_[0]\n}") },
        upstream => sub { experiment('') . "upstream app {\n$_[0]\n}\n" },
    );

    for my $context (sort keys %wrong) {
        for my $directive (@{ $wrong{$context} }) {
            (my $line = $good{$directive}) =~ s/^(.*?[;{])/$1 # HERE\n/;
            refused("$directive in $context", $frame{$context}->($line),
                $directive, $not_here);
        }
    }

    for my $directive (sort keys %good) {
        (my $line = $good{$directive}) =~ s/^(.*?[;{])/$1 # HERE\n/;
        my $module = Ux::module();

        for my $context ('events', 'main') {
            my $conf = "load_module $module;\n"
                . ($context eq 'main' ? "$line\nevents { }\n"
                    : "events {\n$line\n}\n");
            my ($passed, $output) = $t->test_config($conf, full => 1);
            my $n = $t->line_of(qr/# HERE/);
            ok(!$passed && $output
                =~ /"$directive" directive is not allowed here .*:$n/,
                "refused: $directive in $context") or diag($output);
        }
    }

    my $expected = qr/"ux_stats" in location.*expected a location given by/;
    for my $kind ('~ ^/stats', '~* /stats$', '@stats', '~ "^/(a|b)"') {
        my ($name) = $kind =~ /(\S+?)"?$/;
        $name =~ s/^"//;
        refused("ux_stats in location $kind", experiment('')
            . "server {\nlocation $kind {\nux_stats; # HERE\n}\n}\n", $name,
            $expected);
    }

    my ($passed, $output) = $t->test_config(experiment('')
        . "server {\nlocation = /stats {\nux_stats; # HERE\n}\n}\n");
    my $n = $t->line_of(qr/# HERE/);
    ok($passed, 'accepted: ux_stats in location =');
    like($output,
        qr{\[warn\].*"ux_stats" in location "= /stats" .*prefix.*:$n},
        'and a warning: nothing below it can be reached');
    ($passed, $output) = $t->test_config(experiment('')
        . "server {\nlocation /stats {\nux_stats;\n}\n}\n");
    unlike($output, qr/\[warn\].*ux_stats/, 'no warning for a prefix');

    refused('ux_stats in a location of a regex location', experiment('')
        . "server {\nlocation ~ ^/a {\nlocation ~ ^/ab {\nux_stats; # HERE\n"
        . "}\n}\n}\n", '^/ab', $expected);

    return;
}


# Both figures: what is needed and what there is.
sub small_zones_are_refused
{
    my $many = sub {
        my ($size, $n, $variants) = @_;
        return "ux_zone shop $size; # HERE\n" . join('', map {
            my $k = $_;
            "ux_experiment e$k {\n" . join('', map { "variant v$_ 1;\n" }
                1 .. $variants) . "}\n" } 1 .. $n)
            . "ux_funnel f {\nstep purchase;\ncart add_to_cart;\n}\n";
    };

    refused('a zone that has too few counters', $many->('512k', 10, 4),
        'shop', qr/needs \d+ counters.*size \d+ has room for \d+/);
    refused('a zone that has too few names', $many->('4m', 256, 2),
        'shop', qr/needs \d+ (?:registered names|counters).*has room for \d+/);

    my ($passed, $output) = $t->test_config($many->('512k', 10, 4));
    my ($needs, $has) = $output =~ /needs (\d+) counters.*room for (\d+)/;
    cmp_ok($needs || 0, '>', $has || 0, 'the zone is smaller than the need');

    ($passed, $output) = $t->test_config($many->('64m', 10, 16));
    ok($passed, 'a larger zone takes the same configuration')
        or diag($output);
    like($output, qr/\[notice\].*"shop"[ ]of[ ]67108864[ ]bytes:
            [ ]\d+[ ]bytes[ ]for[ ]counters.*\d[ ]visitors/x,
        'the split is a notice');

    return;
}


sub good_ones_are_accepted
{
    my @good = (
        [ 'nothing at all', '' ],
        [ 'a zone alone', 'ux_zone shop 512k;' ],
        [ 'a zone of a long name', 'ux_zone ' . 'x' x 64 . ' 1M;' ],
        [ 'every parameter of a zone', 'ux_zone shop 1m snapshot=%%DIR%%/sn'
            . ' interval=500ms journeys=1m inactive=90d currency=JPY'
            . ' experiments=16 totals=8 removed=2w retention=25mon;' ],
        [ 'two zones', experiment('') . "ux_zone b2b 1m currency=KWD;\n"
            . 'ux_experiment price zone=b2b { variant a 1; variant b 1; }' ],
        [ '32 zones', join '', map { "ux_zone z$_ 512k;\n" } 1 .. 32 ],
        [ 'weights 33.33, 33.33 and 33.34', "ux_zone shop 1m;\n"
            . 'ux_experiment e { variant a 33.33; variant b 33.33;'
            . ' variant c 33.34; }' ],
        [ 'weights 1 and 10^9', "ux_zone shop 1m;\n"
            . 'ux_experiment e { variant a 1; variant b 1000000000; }' ],
        [ 'weights 0 and 0.001', "ux_zone shop 1m;\n"
            . 'ux_experiment e { variant a 0; variant b 0.001; }' ],
        [ '16 variants', experiment(join "\n", map { "variant v$_ 1;" }
            3 .. 16) ],
        [ 'names at their limits', "ux_zone shop 1m;\nux_experiment "
            . 'e' x 64 . ' { variant ' . 'V' x 64 . ' 1; variant a_B.9-z 1; }'
        ],
        map({ [ "traffic $_", experiment("traffic $_;") ] } '0%', '0.001%',
            '20%', '33.333333%', '100%', '100.0%', '007%'),
        map({ [ "layer $_", experiment("layer main $_;") ] } '0-50%',
            '0-0.1%', '99.9-100%', '12.5-37.5%'),
        [ 'two halves of a layer', experiment('layer main 0-50%;')
            . 'ux_experiment e { variant a 1; variant b 1;'
            . ' layer main 50-100%; }' ],
        [ 'the same range of two layers', experiment('layer main 0-50%;')
            . 'ux_experiment e { variant a 1; variant b 1;'
            . ' layer other 0-50%; }' ],
        [ 'every line of an experiment', experiment("traffic 20%; salt 'a b';"
            . ' version 3; layer main 0-100%; goal purchase revenue;'
            . ' metric add_to_cart better=lower; metric nps type=mean;'
            . ' guardrail refund better=lower margin=2%; window 14d;'
            . ' sticky off; alpha 0.01; planned 5000; min_runtime 2w;'
            . ' cap 500.00;') ],
        [ 'a salt of 256 bytes', experiment('salt ' . 'x' x 256 . ';') ],
        [ 'window off', experiment('window off;') ],
        [ 'no minimum runtime', experiment('min_runtime 0;') ],
        [ 'a metric that is the goal', experiment("goal purchase;\n"
            . 'metric purchase better=lower;') ],
        [ 'a goal behind its metric', experiment("metric nps;\ngoal nps;") ],
        [ 'a metric that is the goal nobody named',
            experiment("metric purchase;\nmetric revenue;") ],
        [ 'every type of metric', "ux_zone shop 1m totals=4;\n"
            . 'ux_experiment e { variant a 1; variant b 1; metric nps;'
            . ' metric nps type=mean; metric nps type=count;'
            . ' metric nps type=ratio; metric revenue type=mean; }' ],
        [ 'a funnel', funnel("step view_item optional;\nstep add_to_cart;\n"
            . "step purchase;\ncart add_to_cart within=24h;") ],
        [ 'a cart event that is no step',
            funnel("step purchase;\ncart wish within=1s;") ],
        [ '16 steps', funnel(join "\n", map { "step e$_;" } 1 .. 16) ],
        [ 'the exposure before the experiment', "server { ux_expose layout;"
            . " }\n" . experiment('') ],
        [ 'ux_expose at every level', experiment('') . "ux_expose all;\n"
            . 'server { ux_expose layout requests=navigation;'
            . ' location / { ux_expose off; }'
            . ' location /api/ { ux_expose all requests=any; } }' ],
        [ 'events', location("ux_event purchase;\nux_event purchase value=10"
            . ' currency=EUR id=$arg_id if=$arg_x$arg_y method=GET,POST'
            . " status=2xx,302,404-410 zone=shop;\nux_event own_event"
            . ' value=$upstream_http_x_value;') ],
        [ 'a cookie with everything', location('', 'ux_cookie __Secure-ux'
            . ' domain=shop.example path=/shop max_age=400d samesite=strict'
            . ' secure=on;') ],
        [ 'a cookie bound to its host',
            location('', 'ux_cookie __Host-ux secure=on;') ],
        [ 'a cookie of other sites',
            location('', 'ux_cookie ux samesite=None;') ],
        [ 'keys and headers at every level', experiment('')
            . "ux_visitor_key \$http_x_user;\nux_header X-AB;\n"
            . 'ux_bots count; ux_confirm off; ux_cookie ab; server {'
            . ' ux_visitor_key $arg_u$cookie_u; ux_bots exclude;'
            . ' ux_confirm on; ux_header X-A1; ux_cookie ux; location / {'
            . ' ux_visitor_key ""; ux_header X-B; } }' ],
        map({ [ "ux_stats in location $_", experiment('')
            . "server { location $_ { ux_stats; } }" ] } '/uxstats',
            '= /uxstats', '^~ /uxstats', '/'),
        [ 'ux_stats for everybody', location('ux_stats any;') ],
        [ 'every variable', location('return 200 "$ux_visitor'
            . ' $ux_variant_layout $ux_reason_layout $ux_variants $ux_events'
            . ' $ux_bot";') ],
        [ '256 experiments', "ux_zone shop 128m;\n" . join '', map {
            "ux_experiment e$_ { variant a 1; variant b 1; }\n" } 1 .. 256 ],
    );

    for my $case (@good) {
        accepted(@$case);
    }

    ok(!-e $t->dir . '/sn', 'nginx -t made no snapshot directory');

    return;
}


sub defaults_are_documented
{
    my $shop = Ux::nginx(conf => <<'CONF')->start;
ux_zone shop 1m;
ux_experiment layout { variant control 1; variant one_page 3; }
ux_funnel checkout { step add_to_cart; step purchase; cart add_to_cart; }
ux_experiment banner { variant control 1; variant blue 1;
                       metric nps; metric purchase better=lower; }
server {
    listen 127.0.0.1:%%PORT%%;
    location /uxstats { ux_stats; }
}
CONF

    my $zone = $shop->stats('/zones/shop');
    my $layout = $zone->{experiments}{layout};
    my %expected = (state => 'running', version => 1, traffic => 1,
        layer => undef, planned_visitors => 10000, goal => 'purchase',
        alpha => 0.05, min_runtime_seconds => 604800, ended_at => undef,
        epoch => 1);

    for my $field (sort keys %expected) {
        is($layout->{$field}, $expected{$field}, "default: $field");
    }

    is($zone->{currency}, 'EUR', 'default: currency');

    my $variants = $layout->{variants};
    is_deeply([ map { $variants->{$_}{control} ? $_ : () } keys %$variants ],
        [ 'control' ], 'the first variant is the control');
    is($variants->{one_page}{share}, 0.75, 'shares follow the weights');
    is_deeply([ sort keys %{ $variants->{control}{metrics} } ],
        [ qw(add_to_cart purchase revenue) ],
        'default metrics: the goal, every step, revenue');
    is($variants->{control}{metrics}{purchase}{role}, 'goal',
        'the default goal is purchase');

    my $metrics = $zone->{experiments}{banner}{variants}{blue}{metrics};
    is_deeply([ sort keys %$metrics ], [ qw(nps purchase) ],
        'metrics as configured, the goal among them once');
    is($metrics->{purchase}{role}, 'goal', 'a metric can be the default goal');
    is($metrics->{purchase}{better}, 'lower', 'and keeps its direction');

    my $raw = $shop->get('/uxstats/api/1/')->body;
    my $banner = substr $raw, index $raw, '"banner"';
    my @goals = $banner =~ /"purchase":\{"type"/g;
    is(scalar @goals, 2, 'no metric is written twice');

    $shop->no_alerts;

    return;
}


# Loaded without directives, or in a server that uses none: as if not there.
sub nothing_is_done_unasked
{
    for my $conf ('', experiment('')) {
        my $plain = Ux::nginx(backends => { APP => undef },
            conf => $conf . <<'CONF')->start;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { proxy_pass http://%%APP%%; }
}
CONF
        my $what = $conf ? 'an inactive server' : 'no directive';
        my $response = $plain->browser->go('/', 'X-UX-Variant' => 'mine');

        is($response->status, 200, "$what: served");
        is_deeply([ map { $response->headers($_) } 'Set-Cookie', 'Vary',
            'Cache-Control', 'X-UX-Variant' ], [], "$what: no header added");
        is_deeply([ $plain->backend('APP')->last_request->values(
            'X-UX-Variant') ], [ 'mine' ], "$what: nothing taken away");
        $plain->no_alerts("$what: no alerts");
    }

    my $module = Ux::module();
    my ($passed, $output) = $t->test_config("load_module $module;\n"
        . "load_module $module; # HERE\nevents { }\n", full => 1);
    ok(!$passed && $output =~ /module ".*" is already loaded .*:2$/m,
        'the module loaded twice is an error') or diag($output);

    return;
}


sub numbers_do_not_depend_on_processes
{
    my $conf = "ux_zone shop 8m;\n" . <<'CONF';
ux_experiment layout { variant control 1; variant one_page 1; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all;
    location / { ux_event add_to_cart; return 204; }
    location /uxstats { ux_stats; }
}
CONF
    my %seen;

    for my $case ([ 'no master', 1, "master_process off;\n" ],
        [ '1 worker', 1, '' ], [ '2 workers', 2, '' ],
        [ '64 workers', 64, '' ])
    {
        my ($name, $workers, $globals) = @$case;
        my $shop = Ux::nginx(workers => $workers, globals => $globals,
            conf => $conf)->start;

        visits($shop);
        $seen{$name} = sums($shop);

        if ($name eq '2 workers') {
            for my $n (4, 1) {
                ok($shop->reload(workers => $n), "$n workers after a reload");
                is_deeply(sums($shop), $seen{$name},
                    "$n workers after a reload: the same numbers");
            }
        }

        $shop->no_alerts("$name: no alerts");
    }

    is($seen{'2 workers'}{visitors}, 40, 'every visitor is counted');
    for my $name (sort keys %seen) {
        is_deeply($seen{$name}, $seen{'2 workers'}, "$name: the same numbers");
    }

    return;
}


sub visits
{
    my ($nginx) = @_;

    for my $n (1 .. 80) {
        $nginx->get('/', Accept => 'text/html', 'X-User' => 'u' . $n % 40);
    }

    return;
}


sub sums
{
    my ($nginx) = @_;

    my $zone = $nginx->stats('/zones/shop');
    my $variants = $zone->{experiments}{layout}{variants};

    return { visitors => $variants->{control}{visitors}
            + $variants->{one_page}{visitors},
        control => $variants->{control}{visitors},
        events => $zone->{events}{add_to_cart} };
}


# For the name of a check: one line, no surprises.
sub printable
{
    my ($word) = @_;

    $word = substr($word, 0, 12) . '...' . length $word if length $word > 60;
    $word =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

    return $word;
}
