using System.Collections.Frozen;

namespace Gateway.Headscale;

/// <summary>What the members of a body may be.</summary>
internal enum FieldType
{
    None = 0,
    Text,

    /// <summary>A 64-bit id; clients up to 0.29 may also write it as a number. It is sent as a string.</summary>
    Id,
    Flag,
    Time,
    List,
}

/// <summary>One member of a body.</summary>
/// <param name="Name">Its one accepted spelling.</param>
/// <param name="Type">What it may hold.</param>
/// <param name="Required">Whether the call makes no sense without it.</param>
/// <param name="Since">First minor version that has it.</param>
/// <param name="Until">Last minor version that has it.</param>
internal sealed record Field(string Name, FieldType Type, bool Required = false, int Since = 0, int Until = int.MaxValue)
{
    public bool IsIn(HeadscaleVersion version) => version.Minor >= Since && version.Minor <= Until;
}

/// <summary>A request body: its members in the order in which they are sent.</summary>
/// <param name="Fields">The members.</param>
/// <param name="Optional">Whether the operation also works without a body.</param>
/// <param name="Limit">The largest body in bytes.</param>
internal sealed record BodyModel(IReadOnlyList<Field> Fields, bool Optional = false, int Limit = 1 << 20);

/// <summary>Every request body of Headscale's v1 API, from 0.26 to 0.30 (its OpenAPI documents).</summary>
internal static class Bodies
{
    private const int PolicyLimit = 4 << 20;

    public static FrozenDictionary<string, BodyModel> All { get; } = new Dictionary<string, BodyModel>(StringComparer.Ordinal)
    {
        ["create_user"] = new([new("name", FieldType.Text, Required: true), new("displayName", FieldType.Text), new("email", FieldType.Text), new("pictureUrl", FieldType.Text)]),

        // Without an expiration Headscale stores a key that has already expired (headscale #1579).
        ["create_preauthkey"] = new(
        [
            new("user", FieldType.Id), new("reusable", FieldType.Flag), new("ephemeral", FieldType.Flag),
            new("expiration", FieldType.Time, Required: true), new("aclTags", FieldType.List),
        ]),
        ["expire_preauthkey"] = new(
        [
            new("user", FieldType.Id, Required: true, Until: 27), new("key", FieldType.Text, Required: true, Until: 27), new("id", FieldType.Id, Required: true, Since: 28),
        ]),
        ["set_tags"] = new([new("tags", FieldType.List, Required: true)]),
        ["approve_routes"] = new([new("routes", FieldType.List, Required: true)]),
        ["move_node"] = new([new("user", FieldType.Id, Required: true)]),
        ["expire_node"] = new([new("expiry", FieldType.Time, Since: 30), new("disableExpiry", FieldType.Flag, Since: 30)], Optional: true),
        ["debug_create_node"] = new([new("user", FieldType.Text), new("key", FieldType.Text), new("name", FieldType.Text), new("routes", FieldType.List)]),
        ["auth_register"] = new([new("user", FieldType.Text, Required: true), new("authId", FieldType.Text, Required: true)]),
        ["auth_id"] = new([new("authId", FieldType.Text, Required: true)]),
        ["create_apikey"] = new([new("expiration", FieldType.Time, Required: true)]),
        ["expire_apikey"] = new([new("prefix", FieldType.Text), new("id", FieldType.Id, Since: 28)]),
        ["policy"] = new([new("policy", FieldType.Text, Required: true)], Limit: PolicyLimit),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static FrozenSet<string> Names { get; } = All.Keys.ToFrozenSet(StringComparer.Ordinal);
}
