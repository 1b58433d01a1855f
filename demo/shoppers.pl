#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Simulated shoppers for `make demo`: browsers with a cookie jar that walk
# through the shop over HTTP and leave at known rates.  They look at the
# checkout they were really served: three pages or one.  Whoever is served
# the single page is more likely to order; how much more is known here and
# nowhere else, so that what /uxstats measures can be held against it.
#
# Usage: shoppers.pl [--at=HOST:PORT] [--shoppers=10000] [--clients=8]
#                    [--seed=7]

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use Getopt::Long ();
use POSIX ();
use UxClient;

use constant EXPERIMENT => 'checkout_layout';


my %option = (at => '127.0.0.1:8080', shoppers => 10000, clients => 8,
    seed => 7);

Getopt::Long::GetOptions(\%option, 'at=s', 'shoppers=i', 'clients=i',
    'seed=i') or exit 2;

# Chances of going on.  A page of a checkout is left by some on each page, so
# three pages lose more than one, even one that asks for everything.
my %GOES_ON = (product => 0.85, cart => 0.42, checkout => 0.65, more => 0.30,
    three_pages => 0.80, one_page => 0.70);

# Some cards are declined, and some clients keep no cookie (robots, mostly).
my %SHARE = (declined => 0.04, no_cookie => 0.05);

my ($host, $port) = split /:/, $option{at};
my $terminal = -t STDOUT;
my %price = read_prices();
my $placed = send_shoppers();
my $zone = read_stats();

print_variants($zone->{experiments}{+EXPERIMENT});
print_funnel($zone->{experiments}{+EXPERIMENT});
print_carts($zone->{experiments}{+EXPERIMENT});
print_truth($zone->{experiments}{+EXPERIMENT});

print "\nShop:    http://$option{at}/\nResults: http://$option{at}/uxstats\n";


# The shop window, not asked for as a page: nobody is exposed by this.
sub read_prices
{
    my $answer = Ux::Connection->new($port, host => $host)->request('GET',
        '/', [ Accept => '*/*' ]);

    die "shoppers: the shop does not answer\n"
        unless $answer && $answer->status == 200;

    return $answer->body =~ m{/product/(\d+)".*?<b>([\d.]+) }g;
}


# Runs all clients; returns the orders they were thanked for, by variant.
sub send_shoppers
{
    my (%placed, @pids);

    pipe my $from, my $to or die "shoppers: pipe: $!\n";
    $to->autoflush(1);

    for my $client (0 .. $option{clients} - 1) {
        my $pid = fork;
        die "shoppers: cannot fork: $!\n" unless defined $pid;
        if ($pid == 0) {
            close $from;
            srand $option{seed} * 1000 + $client;
            my $fine = eval { run_client($client, $to); 1 };
            print STDERR "\nshoppers: $@" unless $fine;
            POSIX::_exit($fine ? 0 : 1);
        }
        push @pids, $pid;
    }
    close $to;

    my $done = 0;
    while (defined(my $line = <$from>)) {
        chomp $line;
        $placed{$line}++ if $line ne '-';
        show_progress(++$done);
    }
    print "\n\n";

    for my $pid (@pids) {
        waitpid $pid, 0;
        exit 1 if $?;
    }

    return \%placed;
}


sub run_client
{
    my ($client, $to) = @_;

    for (my $n = $client; $n < $option{shoppers};
         $n += $option{clients})
    {
        my $ordered_in = rand() < $SHARE{no_cookie} ? pass_by()
            : go_shopping();
        print $to "$ordered_in\n";
    }

    return;
}


# A bar on a terminal, else a figure at every tenth.
sub show_progress
{
    my ($done) = @_;

    my $percent = int 100 * $done / $option{shoppers};
    my $before = int 100 * ($done - 1) / $option{shoppers};

    return if $percent == $before;

    local $| = 1;
    if ($terminal) {
        my $bar = '#' x ($percent / 2.5);
        printf "\rshoppers [%-40s] %3d %%  %d of %d", $bar, $percent, $done,
            $option{shoppers};

    } elsif ($percent % 10 == 0) {
        print $percent == 10 ? 'shoppers: ' : ' ', "$percent %";
    }

    return;
}


# Keeps no cookie: assigned at every page, a visitor never.
sub pass_by
{
    for my $path ('/', '/product/' . any_product()) {
        my $browser = Ux::Browser->new($port, host => $host);
        expect($browser->go($path), 200);
        $browser->close;
    }

    return '-';
}


# One visit; the variant if it ended with an order, else '-'.
sub go_shopping
{
    my $browser = Ux::Browser->new($port, host => $host);
    my $variant = visit($browser);

    $browser->close;

    return $variant;
}


sub visit
{
    my ($browser) = @_;

    expect($browser->go('/'), 200);
    expect($browser->asset('/static/style.css'), 200);

    return '-' unless goes_on('product');
    my $product = look_at_product($browser);

    return '-' unless goes_on('cart');
    put_in_cart($browser, $product);
    put_in_cart($browser, look_at_product($browser)) if goes_on('more');
    expect($browser->go('/cart'), 200);

    return '-' unless goes_on('checkout');
    my $page = expect($browser->go('/checkout'), 200);
    my $card = rand() < $SHARE{declined} ? 'out of date'
        : '4242 4242 4242 4242';

    return $page->body =~ m{action="/checkout/order"}
        ? one_page($browser, $card) : three_pages($browser, $card);
}


sub look_at_product
{
    my ($browser) = @_;

    my $product = any_product();
    expect($browser->go("/product/$product"), 200);

    return $product;
}


sub put_in_cart
{
    my ($browser, $product) = @_;

    expect($browser->post('/cart/add', [ product => $product ]), 302);

    return;
}


sub one_page
{
    my ($browser, $card) = @_;

    return '-' unless goes_on('one_page');

    return place_order($browser, 'one_page', address(), card => $card);
}


sub three_pages
{
    my ($browser, $card) = @_;

    return '-' unless goes_on('three_pages');
    expect($browser->post('/checkout/payment', [ address() ]), 200);

    return '-' unless goes_on('three_pages');
    my $answer = $browser->post('/checkout/review', [ card => $card ]);

    return '-' if $answer->status == 302 || !goes_on('three_pages');

    return place_order($browser, 'control', card => $card);
}


sub place_order
{
    my ($browser, $variant, @form) = @_;

    my $answer = expect($browser->post('/checkout/order', [ @form ]), 303);
    my $next = $answer->header('Location');

    expect($browser->go($next =~ m{(/checkout.*)$}), 200);

    return $next =~ m{/done} ? $variant : '-';
}


sub address
{
    return (name => 'A. Shopper', street => '1 High Street', town => 'Ulm');
}


sub any_product
{
    my @products = sort { $a <=> $b } keys %price;

    return $products[rand @products];
}


sub goes_on { return rand() < $GOES_ON{$_[0]} }


sub expect
{
    my ($answer, $status) = @_;

    die 'unexpected answer: ' . ($answer ? $answer->status : 'none') . "\n"
        unless $answer && $answer->status == $status;

    return $answer;
}


sub read_stats
{
    my $answer = Ux::Connection->new($port, host => $host)->request('GET',
        '/uxstats/api/1/zones/shop');

    die "shoppers: /uxstats does not answer\n"
        unless $answer && $answer->status == 200;

    return $answer->json;
}


# Variants with the control first.
sub variants
{
    my ($experiment) = @_;

    my $variants = $experiment->{variants};

    return sort { !!$variants->{$b}{control} <=> !!$variants->{$a}{control}
        || $a cmp $b } keys %$variants;
}


sub percent
{
    my ($part, $whole) = @_;

    return $whole ? sprintf '%.1f %%', 100 * $part / $whole : '-';
}


sub print_variants
{
    my ($experiment) = @_;

    printf "%-10s %8s %8s %11s %14s %8s %11s\n", 'Variant', 'assigned',
        'visitors', 'add_to_cart', 'begin_checkout', 'purchase',
        'per visitor';

    for my $name (variants($experiment)) {
        my $variant = $experiment->{variants}{$name};
        my $n = $variant->{visitors};
        my %step = map { $_->{event} => $_->{visitors} }
            @{ $variant->{funnels}{checkout}{steps} };

        printf "%-10s %8d %8d %11s %14s %8s %11s\n", $name,
            $variant->{assigned}, $n, percent($step{add_to_cart}, $n),
            percent($step{begin_checkout}, $n),
            percent($variant->{metrics}{purchase}{visitors}, $n),
            $n ? sprintf '%.2f EUR', $variant->{metrics}{revenue}{mean} : '-';
    }

    return;
}


sub print_funnel
{
    my ($experiment) = @_;

    my @names = variants($experiment);
    my %steps = map {
        $_ => $experiment->{variants}{$_}{funnels}{checkout}{steps} } @names;

    printf "\n%-18s%s\n", 'Funnel, in order',
        join '', map { sprintf '%20s', $_ } @names;

    for my $i (0 .. $#{ $steps{$names[0]} }) {
        printf "%-18s%s\n", $steps{$names[0]}[$i]{event}, join '', map {
            my $in_order = $steps{$_}[$i]{visitors_in_order};
            sprintf '%10d %9s', $in_order,
                percent($in_order, $experiment->{variants}{$_}{visitors})
        } @names;
    }

    return;
}


sub print_carts
{
    my ($experiment) = @_;

    my @fields = qw(created purchased open abandoned);

    printf "\n%-18s%s\n", 'Carts', join '', map { sprintf '%12s', $_ }
        @fields;

    for my $name (variants($experiment)) {
        my $carts = $experiment->{variants}{$name}{funnels}{checkout}{carts};
        printf "%-18s%s\n", $name, join '', map { sprintf '%12d', $_ }
            @$carts{@fields};
    }
    print "An open cart counts as abandoned 60 minutes after it was made.\n";

    return;
}


# What was built in, what nginx measured, and what the shoppers themselves
# know they have ordered.
sub print_truth
{
    my ($experiment) = @_;

    my %true = true_rates();
    my %got = map { my $v = $experiment->{variants}{$_};
        $_ => { n => $v->{visitors}, x => $v->{metrics}{purchase}{visitors},
            orders => $v->{metrics}{purchase}{events} } }
        qw(control one_page);

    die "shoppers: no visitor was counted\n"
        if grep { !$_->{n} || !$_->{x} } values %got;

    my ($a, $b) = map { $got{$_}{x} / $got{$_}{n} } qw(control one_page);
    my $error = 1.96 * sqrt($a * (1 - $a) / $got{control}{n}
        + $b * (1 - $b) / $got{one_page}{n});

    printf "\n%-18s%12s%12s%22s%12s\n", 'Purchase rate', 'control',
        'one_page', 'difference', 'lift';
    printf "%-18s%10.1f %%%10.1f %%%15.1f points%+10.1f %%\n",
        'built in', 100 * $true{control}, 100 * $true{one_page},
        100 * ($true{one_page} - $true{control}),
        100 * ($true{one_page} / $true{control} - 1);
    printf "%-18s%10.1f %%%10.1f %%%8.1f +- %.1f points%+10.1f %%\n",
        'measured', 100 * $a, 100 * $b, 100 * ($b - $a), 100 * $error,
        100 * ($b / $a - 1);

    for my $name (qw(control one_page)) {
        printf "%-18s%d orders placed, %d counted\n", $name,
            $placed->{$name} || 0, $got{$name}{orders};
    }

    return;
}


# The product of the chances on the way to an order.
sub true_rates
{
    my $arrives = $GOES_ON{product} * $GOES_ON{cart} * $GOES_ON{checkout};
    my $accepted = 1 - $SHARE{declined};

    return (control => $arrives * $GOES_ON{three_pages} ** 3 * $accepted,
        one_page => $arrives * $GOES_ON{one_page} * $accepted);
}
