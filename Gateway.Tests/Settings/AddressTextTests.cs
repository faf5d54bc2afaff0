using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Edge;
using Gateway.Settings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Tests.Settings;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("1.2.3.4", "1.2.3.4")]
    [InlineData("::1", "::1")]
    [InlineData("2001:DB8::1", "2001:db8::1")]
    [InlineData("::ffff:1.2.3.4", "1.2.3.4")]
    [InlineData("::FFFF:1.2.3.4", "1.2.3.4")]
    [InlineData("::ffff:102:304", "1.2.3.4")]
    [InlineData("0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4")]
    public void AnAddressIsRead(string text, string address) => AddressText.Parse(text).Should().Be(IPAddress.Parse(address));

    [Theory]
    [InlineData("")]
    [InlineData("127.1")]
    [InlineData("1")]
    [InlineData("2130706433")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.4 ")]
    [InlineData(" 1.2.3.4")]
    [InlineData("1.2.3.4:80")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("fe80::1%eth0")]
    [InlineData("::1%25lo")]
    [InlineData("::ffff:010.0.0.1")]
    [InlineData("::ffff:1.2.3")]
    [InlineData("unknown")]
    [InlineData("_hidden")]
    [InlineData("１.2.3.4")]
    [InlineData("1.2.3.4\0")]
    [InlineData("+1.2.3.4")]
    public void AnythingElseIsNoAddress(string text) => AddressText.Parse(text).Should().BeNull();

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("10.0.0.1", "10.0.0.1/32")]
    [InlineData("::1", "::1/128")]
    [InlineData("fd00::/8", "fd00::/8")]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    public void ANetworkIsRead(string text, string network) =>
        AddressText.ParseNetwork(text, out _).Should().Be((IPNetwork?)IPNetwork.Parse(network));

    [Theory]
    [InlineData("10.0.0.0/", "is not a network")]
    [InlineData("10.0.0.0/33", "is not a network")]
    [InlineData("10.0.0.0/08", "is not a network")]
    [InlineData("10.0.0.0/0x8", "is not a network")]
    [InlineData("10.0.0.0/1e1", "is not a network")]
    [InlineData("10.0.0.0/ 8", "is not a network")]
    [InlineData("10.0.0.0/-1", "is not a network")]
    [InlineData("10.0.0.0/8/8", "is not a network")]
    [InlineData("10/8", "is not a network")]
    [InlineData("::ffff:10.0.0.0/64", "is not a network")]
    [InlineData("10.0.0.5/8", "did you mean 10.0.0.0/8 or 10.0.0.5/32?")]
    [InlineData("proxy.example.com", "is not a network")]
    public void ABadNetworkSaysWhatToWrite(string text, string words)
    {
        AddressText.ParseNetwork(text, out var complaint).Should().BeNull();
        complaint.Should().Contain(words);
    }

    /// <summary>What is accepted is what the framework reads it as, and says so again when it is printed.</summary>
    [Fact]
    public void WhateverIsAcceptedHasOneMeaning() => Prop.ForAll<byte[], ushort>((octets, port) =>
    {
        var bytes = octets.Concat(new byte[16]).ToArray();
        foreach (var address in (IPAddress[])[new(bytes[..4]), new(bytes[..16])])
        {
            var expected = AddressText.Unmap(address);
            AddressText.Parse(address.ToString()).Should().Be(expected);
            AddressText.ParseForwarded(address.ToString()).Should().Be(expected);
            AddressText.ParseForwarded($"{(address.ToString().Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:{port}")
                .Should().Be(expected);
        }
    }).QuickCheckThrowOnFailure();

    /// <summary>Random text is an address only if it is one dotted quad or one plain IPv6 literal.</summary>
    [Fact]
    public void RandomTextIsNoAddress() => Prop.ForAll<string>(text =>
        (AddressText.Parse(text) is null || IPAddress.TryParse(text, out _)).Should().BeTrue()).QuickCheckThrowOnFailure();
}

public sealed class ForwardedAddressTests
{
    private static readonly NetworkList _trusted = new([IPNetwork.Parse("127.0.0.1/32"), IPNetwork.Parse("10.9.0.0/16")]);

    [Theory]
    [InlineData("192.0.2.10", "192.0.2.10")]
    [InlineData("203.0.113.66, 192.0.2.10", "192.0.2.10")]
    [InlineData("192.0.2.10, 203.0.113.66", "203.0.113.66")]
    [InlineData("192.0.2.10, 10.9.0.1, 10.9.0.2", "192.0.2.10")]
    [InlineData("10.9.0.1, 10.9.0.2", "10.9.0.1")]
    [InlineData("192.0.2.10:51812", "192.0.2.10")]
    [InlineData("[2001:db8::5]:443", "2001:db8::5")]
    [InlineData("::ffff:192.0.2.10", "192.0.2.10")]
    [InlineData("192.0.2.10,\t10.9.0.2", "192.0.2.10")]
    [InlineData("192.0.2.10,", null)]
    [InlineData(",192.0.2.10", null)]
    [InlineData("unknown", null)]
    [InlineData("rubbish, 192.0.2.10", null)]
    [InlineData("192.0.2.10:port", null)]
    [InlineData("[192.0.2.10]", null)]
    [InlineData("fe80::1%eth0", null)]
    [InlineData("", null)]
    public void TheClientIsTheRightMostAddressThatIsNoProxy(string header, string? client) =>
        (ForwardedAddress.Rightmost("X-Forwarded-For", header, _trusted)?.ToString()).Should().Be(client);

    [Fact]
    public void SeveralLinesAreOneList() =>
        (ForwardedAddress.Rightmost("X-Forwarded-For", new StringValues(["203.0.113.66", "192.0.2.10"]), _trusted)?.ToString()).Should()
            .Be("192.0.2.10");

    [Fact]
    public void AnEndlessListIsWorthless() =>
        ForwardedAddress.Rightmost("X-Forwarded-For", string.Join(',', Enumerable.Repeat("10.9.0.1", 33)), _trusted).Should().BeNull();

    [Theory]
    [InlineData("for=192.0.2.43", "192.0.2.43")]
    [InlineData("For=\"[2001:db8:cafe::17]:4711\";proto=https", "2001:db8:cafe::17")]
    [InlineData("for=198.51.100.17;by=203.0.113.60, for=10.9.0.3", "198.51.100.17")]
    [InlineData("for=_gazonk", null)]
    [InlineData("for=192.0.2.1;for=192.0.2.2", null)]
    [InlineData("by=203.0.113.60", null)]
    public void TheForwardedHeaderOfRfc7239IsUnderstood(string header, string? client) =>
        (ForwardedAddress.Rightmost("Forwarded", header, _trusted)?.ToString()).Should().Be(client);

    [Theory]
    [InlineData("192.0.2.10, 203.0.113.66", "192.0.2.10")]
    [InlineData("192.0.2.10:80", null)]
    [InlineData("", null)]
    public void TheFirstAddressIsReadAsHeadplaneReadsIt(string header, string? client) =>
        (ForwardedAddress.First(header)?.ToString()).Should().Be(client);
}
