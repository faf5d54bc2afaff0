using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Settings;

namespace Gateway.Headscale.AccessRules;

/// <summary>One thing that a rule allows.</summary>
/// <param name="Name">Where it stands, such as <c>acls 3</c>, counted from 1.</param>
/// <param name="Sources">Selectors of those who may.</param>
/// <param name="Destinations">Selectors of what they may reach.</param>
/// <param name="Ports">On which protocols and ports, such as <c>tcp:22,80-90</c>; <c>*</c> for everything.</param>
/// <param name="Via">Tags of the routers that it goes through; empty: all.</param>
internal sealed record AccessRule(
    string Name, IReadOnlyList<string> Sources, IReadOnlyList<string> Destinations, string Ports, IReadOnlyList<string> Via);

/// <summary>What the policy says must hold, or not.</summary>
/// <param name="Source">Who reaches or does not.</param>
/// <param name="Destination">What, with the port: <c>tag:db:5432</c>.</param>
/// <param name="Protocol">The protocol; empty for the usual ones.</param>
/// <param name="IsAllowed">Whether it must be reached.</param>
internal sealed record PolicyTest(string Source, string Destination, string Protocol, bool IsAllowed);

/// <summary>
/// What a policy of Headscale 0.26 and later says of who reaches what: groups, hosts, ACLs, grants and tests. SSH, node attributes and
/// automatic approval are not read (hscontrol/policy/v2/types.go).
/// </summary>
internal sealed class TailnetPolicy
{
    private static readonly JsonDocumentOptions _huJson = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private TailnetPolicy()
    {
    }

    /// <summary>Whether there is no rule at all, so that everything reaches everything. An empty list of rules is not that.</summary>
    public bool AllowsEverything { get; private init; }

    /// <summary>The rules, ACLs first.</summary>
    public IReadOnlyList<AccessRule> Rules { get; private init; } = [];

    /// <summary>The members of each group.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Groups { get; private init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The networks that have names.</summary>
    public IReadOnlyDictionary<string, IPNetwork> Hosts { get; private init; } = new Dictionary<string, IPNetwork>();

    /// <summary>The tags that somebody may give.</summary>
    public IReadOnlyList<string> Tags { get; private init; } = [];

    public IReadOnlyList<PolicyTest> Tests { get; private init; } = [];

    /// <summary>Reads a policy; null where it is none.</summary>
    public static TailnetPolicy? Parse(string huJson)
    {
        try
        {
            using var json = JsonDocument.Parse(huJson.Trim().Length == 0 ? "{}" : huJson, _huJson);
            var root = json.RootElement;
            return new()
            {
                AllowsEverything = !IsList(root, "acls") && !IsList(root, "grants"),
                Rules = [.. List(root, "acls").SelectMany(OfAcl), .. List(root, "grants").SelectMany(OfGrant)],
                Groups = Members(root, "groups").ToDictionary(one => one.Name, one => Texts(one.Value), StringComparer.Ordinal),
                Hosts = Members(root, "hosts").Select(one => (one.Name, Network: NetworkOf(one.Value.GetString() ?? "")))
                    .Where(one => one.Network is not null)
                    .ToDictionary(one => one.Name, one => one.Network!.Value, StringComparer.Ordinal),
                Tags = [.. Members(root, "tagOwners").Select(one => one.Name)],
                Tests = [.. List(root, "tests").SelectMany(OfTest)],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>An address or a network; bits behind the length count for nothing, as in Go.</summary>
    public static IPNetwork? NetworkOf(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 2 || AddressText.Parse(parts[0]) is not { } address)
        {
            return null;
        }

        var bits = (byte)(address.GetAddressBytes().Length * 8);
        var length = parts.Length == 1 ? bits : byte.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? given : byte.MaxValue;
        return length <= bits ? new IPNetwork(Mask(address, length), length) : null;
    }

    /// <summary>A destination without its port: <c>[fd7a::1]:22</c> is <c>fd7a::1</c> and <c>22</c>.</summary>
    public static (string Destination, string Ports) Split(string text)
    {
        var bare = text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end
            ? text[1..end] + text[(end + 1)..] : text;
        var colon = bare.LastIndexOf(':');
        return colon > 0 ? (bare[..colon], bare[(colon + 1)..]) : (bare, "*");
    }

    private static IPAddress Mask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }

    /// <summary>Each destination of an ACL has ports of its own.</summary>
    private static IEnumerable<AccessRule> OfAcl(JsonElement acl, int index) =>
        acl.Text("action") is "accept"
            ? acl.Texts("dst").Select(Split).Select(one => new AccessRule(
                $"acls {index + 1}", acl.Texts("src"), [one.Destination], PortsOf(acl.Text("proto"), one.Ports), []))
            : [];

    /// <summary>A grant of applications alone opens no port.</summary>
    private static IEnumerable<AccessRule> OfGrant(JsonElement grant, int index) =>
        grant.Texts("ip").Select(one => one.Split(':') is [var protocol, var ports] ? PortsOf(protocol, ports) : one)
            .Select(ports => new AccessRule($"grants {index + 1}", grant.Texts("src"), grant.Texts("dst"), ports, grant.Texts("via")));

    private static IEnumerable<PolicyTest> OfTest(JsonElement test) =>
        test.Texts("accept").Select(one => (Destination: one, IsAllowed: true))
            .Concat(test.Texts("deny").Select(one => (Destination: one, IsAllowed: false)))
            .Select(one => new PolicyTest(test.Text("src"), one.Destination, test.Text("proto"), one.IsAllowed));

    private static string PortsOf(string protocol, string ports) => protocol is "" or "*" ? ports : $"{protocol}:{ports}";

    private static bool IsList(JsonElement root, string name) =>
        root.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array;

    private static JsonElement.ArrayEnumerator List(JsonElement root, string name) => IsList(root, name)
        ? root.GetProperty(name).EnumerateArray() : default;

    private static JsonElement.ObjectEnumerator Members(JsonElement root, string name) =>
        root.TryGetProperty(name, out var thing) && thing.ValueKind is JsonValueKind.Object ? thing.EnumerateObject() : default;

    private static IReadOnlyList<string> Texts(JsonElement list) =>
        list.ValueKind is JsonValueKind.Array ? [.. list.EnumerateArray().Select(one => one.GetString() ?? "")] : [];
}
