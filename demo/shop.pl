#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A small shop behind nginx, for `make demo`: what a developer of a shop has
# to do, and no more.  It reads one request header,
#
#     X-UX-Variant: checkout_layout=one_page
#
# renders one of two really different checkouts from it, and answers an
# accepted order with one response header,
#
#     X-UX-Event: purchase;value=49.90;currency=EUR;id="o-1"
#
# Usage: shop.pl [PORT [WORKERS]], on 127.0.0.1 (8081, 3).  Perl's core
# modules only.  The cart is a cookie of the shop's own; nothing is stored.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes ();

use constant { MAX_HEAD => 16384, MAX_BODY => 65536, LIFETIME => 86400 };


my $port = shift @ARGV || 8081;
my $workers = shift @ARGV || 3;

# Number => [name, price in cents].
my %PRODUCT = (
    1  => [ 'Enamel kettle',         3490 ],
    2  => [ 'Oak chopping board',    2450 ],
    3  => [ 'Espresso cup, set',     1990 ],
    4  => [ 'Linen apron',           2890 ],
    5  => [ 'Cast iron pan',         5490 ],
    6  => [ 'Pepper mill',           3200 ],
    7  => [ 'Bread knife',           4150 ],
    8  => [ 'Storage jars, six',     2790 ],
    9  => [ 'Kitchen scale',         3990 ],
    10 => [ 'Tea towels, three',     1490 ],
    11 => [ 'Stoneware bowl',        1850 ],
    12 => [ 'Copper pot',            8900 ],
);

my %ROUTE = (
    'GET /'                  => \&page_home,
    'GET /static/style.css'  => \&style_sheet,
    'GET /cart'              => \&page_cart,
    'POST /cart/add'         => \&cart_add,
    'GET /checkout'          => \&page_checkout,
    'POST /checkout/payment' => \&page_payment,
    'GET /checkout/payment'  => \&page_payment,
    'POST /checkout/review'  => \&page_review,
    'POST /checkout/order'   => \&order,
    'GET /checkout/done'     => \&page_done,
);

serve();


# Workers share the listening socket; the parent only waits, and takes them
# along when it is told to end.
sub serve
{
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 512, ReuseAddr => 1, Proto => 'tcp')
        or die "shop: cannot listen on 127.0.0.1:$port: $@\n";
    my $parent = $$;
    my @children;

    for my $n (1 .. $workers) {
        my $pid = fork;
        die "shop: cannot fork: $!\n" unless defined $pid;
        if ($pid == 0) {
            work($listen, $parent);
            POSIX::_exit(0);
        }
        push @children, $pid;
    }

    $SIG{TERM} = $SIG{INT} = sub {
        kill 'TERM', @children;
        exit 0;
    };
    waitpid $_, 0 for @children;

    return;
}


# Many kept-alive connections, one request at a time.
sub work
{
    my ($listen, $parent) = @_;

    my $select = IO::Select->new($listen);
    my $end = time + LIFETIME;
    my %buffer;

    $SIG{PIPE} = 'IGNORE';
    $listen->blocking(0);

    while (getppid == $parent && time < $end) {
        for my $ready ($select->can_read(1)) {
            if ($ready == $listen) {
                my $client = $listen->accept or next;
                $client->blocking(1);
                $select->add($client);
                $buffer{$client} = '';

            } elsif (!read_more($ready, \$buffer{$ready})) {
                $select->remove($ready);
                delete $buffer{$ready};
                close $ready;
            }
        }
    }

    return;
}


# Reads what is there and answers whole requests; false: close it.
sub read_more
{
    my ($client, $buffer) = @_;

    sysread $client, $$buffer, 65536, length $$buffer or return 0;

    while (my $request = take_request($buffer)) {
        return 0 if $request eq 'bad';
        my $answer = answer($request);
        while (length $answer) {
            my $n = syswrite $client, $answer;
            return 0 unless defined $n;
            substr $answer, 0, $n, '';
        }
    }

    return 1;
}


# A request out of the buffer; undef: not whole yet.
sub take_request
{
    my ($buffer) = @_;

    my $end = index $$buffer, "\r\n\r\n";

    return length $$buffer > MAX_HEAD ? 'bad' : undef if $end < 0;

    my ($first, @lines) = split /\r\n/, substr $$buffer, 0, $end;
    my ($method, $target) = $first =~ m{^([A-Z]+) (\S+) HTTP/1\.[01]$}
        or return 'bad';
    my (%header, $length);

    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:\s]+):\s*(.*?)\s*$/
            or return 'bad';
        $name = lc $name;
        $header{$name} = defined $header{$name}
            ? "$header{$name}, $value" : $value;
    }

    $length = $header{'content-length'} || 0;
    return 'bad' if $length !~ /^\d+$/ || $length > MAX_BODY;
    return undef if length $$buffer < $end + 4 + $length;

    my $body = substr $$buffer, $end + 4, $length;
    substr $$buffer, 0, $end + 4 + $length, '';
    my ($path, $query) = split /\?/, $target, 2;

    return { method => $method, path => $path, header => \%header,
        query => decode_form($query), form => decode_form($body) };
}


sub decode_form
{
    my ($text) = @_;

    my %form;

    for my $pair (split /&/, defined $text ? $text : '') {
        my ($name, $value) = map {
            my $s = $_; $s =~ tr/+/ /;
            $s =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge; $s
        } split /=/, $pair, 2;
        $form{$name} = defined $value ? $value : '' if defined $name;
    }

    return \%form;
}


# The text of the whole answer.
sub answer
{
    my ($request) = @_;

    my $method = $request->{method} eq 'HEAD' ? 'GET' : $request->{method};
    my $route = $request->{path} =~ m{^/product/(\d+)$} && $method eq 'GET'
        ? \&page_product : $ROUTE{"$method $request->{path}"};
    my ($status, $headers, $body) = $route ? $route->($request)
        : (404, [], page($request, 'Not found', '<p>No such page.</p>'));
    my @headers = ('Content-Type', 'text/html; charset=utf-8', @$headers);
    my $text = "HTTP/1.1 $status Answer\r\n";

    @headers = @headers[2 .. $#headers]
        if grep { /^Content-Type$/ } @$headers;
    while (@headers) {
        $text .= shift(@headers) . ': ' . shift(@headers) . "\r\n";
    }
    $text .= 'Content-Length: ' . length($body) . "\r\n\r\n";

    return $request->{method} eq 'HEAD' ? $text : $text . $body;
}


# The variant of an experiment for this request; without the header, or with
# one that is no Structured Field, the control.
sub variant
{
    my ($request, $experiment) = @_;

    my $variants = parse_dictionary($request->{header}{'x-ux-variant'});

    return defined $variants->{$experiment} ? $variants->{$experiment}
        : 'control';
}


# A dictionary of RFC 9651, section 4.2.2: members with a token, string or
# number keep it, one without a value is true (1), parameters are skipped.
# Anything malformed makes the whole field count as absent, says the RFC.
sub parse_dictionary
{
    my ($text) = @_;

    my $key = qr/[a-z*][a-z0-9_.*-]*/;
    my $item = qr{"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"
        |[A-Za-z*][A-Za-z0-9!#\$%&'*+.^_`|~:/-]*|-?\d{1,15}(?:\.\d{1,3})?
        |\?[01]|:[A-Za-z0-9+/=]*:}x;
    my $parameters = qr/(?:;\x20*$key(?:=$item)?)*/;
    my %member;

    $text = '' unless defined $text;
    $text =~ s/^ +| +$//g;

    while ($text ne '') {
        $text =~ s/^($key)(?:=($item))?$parameters(?:[ \t]*(,)[ \t]*|$)//
            or return {};
        my ($name, $value, $more) = ($1, $2, $3);
        return {} if $more && $text eq '';
        $value = 1 unless defined $value;
        $value =~ s/\\(["\\])/$1/g if $value =~ s/^"(.*)"$/$1/;
        $member{$name} = $value;
    }

    return \%member;
}


# The cart's cookie: numbers and quantities, as in 3x1.5x2.
sub cart
{
    my ($request) = @_;

    my ($text) = ($request->{header}{cookie} || '')
        =~ /(?:^|[;,]\s*)cart=([0-9x.]*)/;
    my %cart;

    for my $entry (split /\./, defined $text ? $text : '') {
        my ($id, $count) = $entry =~ /^(\d+)x(\d{1,2})$/ or next;
        $cart{$id} += $count if $PRODUCT{$id};
    }

    return \%cart;
}


sub cart_total
{
    my ($cart) = @_;

    my $total = 0;
    $total += $PRODUCT{$_}[1] * $cart->{$_} for keys %$cart;

    return $total;
}


sub money { return sprintf '%d.%02d', int $_[0] / 100, $_[0] % 100 }


# The application says that its pages differ by variant, so that no cache
# between it and nginx mixes them.
sub varies { return (Vary => 'X-UX-Variant', @_) }


sub page_home
{
    my ($request) = @_;

    my $list = join '', map {
        qq{<li><a href="/product/$_">$PRODUCT{$_}[0]</a>}
        . '<b>' . money($PRODUCT{$_}[1]) . " &euro;</b></li>\n"
    } sort { $a <=> $b } keys %PRODUCT;

    return (200, [], page($request, 'Kitchen things',
        "<ul class=\"grid\">\n$list</ul>"));
}


sub page_product
{
    my ($request) = @_;

    my ($id) = $request->{path} =~ m{(\d+)$};
    my $product = $PRODUCT{$id};

    return (404, [], page($request, 'Not found', '<p>Sold out.</p>'))
        unless $product;

    return (200, [], page($request, $product->[0],
        '<p class="price">' . money($product->[1]) . ' &euro;</p>'
        . form('/cart/add', 'Add to cart',
            qq{<input type="hidden" name="product" value="$id">})));
}


sub cart_add
{
    my ($request) = @_;

    my $cart = cart($request);
    my $id = $request->{form}{product} || '';

    return (422, [], page($request, 'Not found', '<p>No such product.</p>'))
        unless $id =~ /^\d+$/ && $PRODUCT{$id};

    $cart->{$id}++ unless ($cart->{$id} || 0) > 8;
    my $text = join '.', map { "${_}x$cart->{$_}" } sort keys %$cart;

    return (302, [ Location => '/cart',
        'Set-Cookie' => "cart=$text; Path=/; HttpOnly; SameSite=Lax" ], '');
}


sub page_cart
{
    my ($request) = @_;

    my $cart = cart($request);
    my $next = %$cart ? '<p><a class="button" href="/checkout">Checkout</a>'
        : '<p><a href="/">To the shop</a>';

    return (200, [], page($request, 'Your cart',
        cart_table($cart) . "$next</p>"));
}


sub cart_table
{
    my ($cart) = @_;

    return '<p>The cart is empty.</p>' unless %$cart;

    return '<table>' . join('', map {
        "<tr><td>$cart->{$_} &times; $PRODUCT{$_}[0]</td><td>"
        . money($PRODUCT{$_}[1] * $cart->{$_}) . ' &euro;</td></tr>'
    } sort { $a <=> $b } keys %$cart) . '<tr class="sum"><td>Sum</td><td>'
        . money(cart_total($cart)) . ' &euro;</td></tr></table>';
}


# Where the two checkouts part.  The control asks on three pages (address,
# payment, review), one_page on a single one.
sub page_checkout
{
    my ($request) = @_;

    my $cart = cart($request);
    my $again = $request->{query}{declined}
        ? '<p class="error">The card was declined.</p>' : '';

    return (302, [ Location => '/cart' ], '') unless %$cart;

    return (200, [ varies() ], page($request, 'Checkout', $again
        . '<div class="columns"><div>'
        . form('/checkout/order', 'Order and pay '
            . money(cart_total($cart)) . ' &euro;',
            '<h2>Address</h2>' . address_fields()
            . '<h2>Payment</h2>' . payment_fields())
        . '</div><div class="box"><h2>Your cart</h2>' . cart_table($cart)
        . '</div></div>'))
        if variant($request, 'checkout_layout') eq 'one_page';

    return (200, [ varies() ], page($request, 'Checkout: address', steps(1)
        . form('/checkout/payment', 'Continue', address_fields())));
}


sub page_payment
{
    my ($request) = @_;

    my $again = $request->{query}{declined}
        ? '<p class="error">The card was declined.</p>' : '';

    return (200, [ varies() ], page($request, 'Checkout: payment', steps(2)
        . $again . form('/checkout/review', 'Continue', payment_fields())));
}


sub page_review
{
    my ($request) = @_;

    my $card = $request->{form}{card} || '';
    my $cart = cart($request);

    return (302, [ Location => '/checkout/payment?declined=1' ], '')
        unless $card =~ /^[\d ]{12,23}$/;

    return (200, [ varies() ], page($request, 'Checkout: review', steps(3)
        . cart_table($cart) . form('/checkout/order', 'Order and pay',
            qq{<input type="hidden" name="card" value="$card">})));
}


# The one place that knows whether there is an order and what it is worth.
# In the one-page checkout it is also the place that learns of the payment
# details; one header says both.
sub order
{
    my ($request) = @_;

    my $cart = cart($request);
    my $one_page = variant($request, 'checkout_layout') eq 'one_page';
    my @events = $one_page ? 'add_payment_info' : ();
    my $id = sprintf 'o-%x-%x', Time::HiRes::time() * 1e6, $$;

    return (302, [ Location => '/cart' ], '') unless %$cart;

    if (($request->{form}{card} || '') !~ /^[\d ]{12,23}$/) {
        my $back = $one_page ? '/checkout' : '/checkout/payment';
        return (303, [ varies(Location => "$back?declined=1"),
            map { ('X-UX-Event' => $_) } @events ], '');
    }

    push @events, 'purchase;value=' . money(cart_total($cart))
        . ";currency=EUR;id=\"$id\"";

    return (303, [ varies(Location => "/checkout/done?order=$id"),
        'Set-Cookie' => 'cart=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
        'X-UX-Event' => join ', ', @events ], '');
}


sub page_done
{
    my ($request) = @_;

    my ($id) = ($request->{query}{order} || '') =~ /^(o-[0-9a-f-]{1,40})$/;

    return (404, [], page($request, 'Not found', '<p>No such order.</p>'))
        unless defined $id;

    return (200, [], page($request, 'Thank you',
        "<p>Your order $id is on its way.</p><p><a href=\"/\">Back</a></p>"));
}


sub steps
{
    my ($at) = @_;

    my $n = 0;

    return '<ol class="steps">' . join('', map { $n++;
        $n == $at ? "<li class=\"here\">$_</li>" : "<li>$_</li>"
    } qw(Address Payment Review)) . '</ol>';
}


sub form
{
    my ($action, $button, $fields) = @_;

    return qq{<form method="post" action="$action">$fields}
        . "<button>$button</button></form>\n";
}


sub address_fields
{
    return join '', map {
        "<label>$_->[0]<input name=\"$_->[1]\" autocomplete=\"$_->[2]\">"
        . '</label>' } [ 'Name', 'name', 'name' ],
        [ 'Street', 'street', 'street-address' ],
        [ 'Town', 'town', 'address-level2' ];
}


sub payment_fields
{
    return '<label>Card number<input name="card" inputmode="numeric"'
        . ' autocomplete="cc-number" value="4242 4242 4242 4242"></label>';
}


sub page
{
    my ($request, $title, $body) = @_;

    my $items = 0;
    $items += $_ for values %{ cart($request) };

    return <<"HTML";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - nginx-ux demo shop</title>
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header><a href="/">Demo shop</a> <a href="/cart">Cart ($items)</a></header>
<main>
<h1>$title</h1>
$body
</main>
</body>
</html>
HTML
}


sub style_sheet
{
    return (200, [ 'Content-Type' => 'text/css',
        'Cache-Control' => 'max-age=3600' ], <<'CSS');
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #222;
       background: #f6f5f2; }
header { display: flex; justify-content: space-between; padding: 1em 2em;
         background: #24403a; }
header a { color: #fff; text-decoration: none; }
main { max-width: 56em; margin: 2em auto; padding: 1em 2em 2em;
       background: #fff; border-radius: 8px; }
a { color: #1b6b55; }
.grid { display: grid; grid-template-columns: repeat(auto-fill,
        minmax(14em, 1fr)); gap: 1em; padding: 0; list-style: none; }
.grid li { display: flex; justify-content: space-between; padding: 1em;
           border: 1px solid #ddd; border-radius: 6px; }
.columns { display: grid; gap: 2em; grid-template-columns: 3fr 2fr; }
.box { padding: 0 1em; background: #f6f5f2; border-radius: 6px; }
.price { font-size: 1.5em; }
.steps { display: flex; gap: 3em; padding-left: 1em; color: #888; }
.steps .here { color: #222; font-weight: 600; }
.error { color: #a3261b; }
label { display: block; margin: .6em 0; }
input { display: block; width: 100%; padding: .5em; font: inherit;
        border: 1px solid #bbb; border-radius: 4px; }
button, .button { display: inline-block; margin-top: 1em; padding: .6em 1.4em;
        font: inherit; color: #fff; background: #1b6b55; border: 0;
        border-radius: 4px; text-decoration: none; cursor: pointer; }
table { width: 100%; border-collapse: collapse; }
td { padding: .4em 0; border-bottom: 1px solid #eee; }
td:last-child { text-align: right; }
.sum td { font-weight: 600; }
@media (max-width: 40em) { .columns { grid-template-columns: 1fr; } }
CSS
}
