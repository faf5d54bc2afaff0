using System.Collections.Frozen;
using Gateway.Edge;
using Gateway.Policy;

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

    /// <summary>A whole number of 64 bits.</summary>
    Number,
}

/// <summary>One member of a body.</summary>
/// <param name="Name">Its one accepted spelling; dots lead into objects.</param>
/// <param name="Type">What it may hold.</param>
/// <param name="Required">Whether the call makes no sense without it.</param>
/// <param name="Since">First minor version that has it.</param>
/// <param name="Until">Last minor version that has it.</param>
internal sealed record Field(string Name, FieldType Type, bool Required = false, int Since = 0, int Until = int.MaxValue)
{
    /// <summary>Whether null may stand for an empty list.</summary>
    public bool TakesNull { get; init; }

    /// <summary>The only values of a text; null: any.</summary>
    public IReadOnlyList<string>? OneOf { get; init; }

    /// <summary>The name of the field in Headscale's .proto file, which protojson takes as well.</summary>
    public string ProtoName { get; } = SnakeCase.From(Name);

    /// <summary>Whether a value is one that this member may hold.</summary>
    public bool Takes(Argument value) => Type switch
    {
        FieldType.None => false,
        FieldType.Text => value.Text is { } text && OneOf?.Contains(text, StringComparer.Ordinal) is null or true,
        FieldType.Id => value.Text is { } id && ParameterTypes.IsId(id),
        FieldType.Flag => value.Flag is not null,
        FieldType.Time => value.Text is { } time && ParameterTypes.IsTime(time),
        FieldType.List => value.List is not null,
        FieldType.Number => value.Number is not null,
    };

    public bool IsIn(HeadscaleVersion version) => version.Minor >= Since && version.Minor <= Until;
}

/// <summary>A request body: its members in the order in which they are sent.</summary>
/// <param name="Fields">The members.</param>
/// <param name="Optional">Whether the operation also works without a body.</param>
/// <param name="Limit">The largest body in bytes.</param>
internal sealed record BodyModel(IReadOnlyList<Field> Fields, bool Optional = false, int Limit = 1 << 20)
{
    /// <summary>The argument that holds all of a body that is a document itself.</summary>
    public const string Document = "document";

    /// <summary>Whether the body is a policy document (HuJSON), which is sent on letter by letter.</summary>
    public bool IsDocument { get; init; }

    public BodyForm Form => new(Limit, IsDocument ? ["application/hujson", "application/json"] : BodyForm.Json);
}

/// <summary>Every request body of Headscale's API, from 0.26 to 0.30 (its OpenAPI documents).</summary>
internal static class Bodies
{
    private const int PolicyLimit = 4 << 20;

    public static FrozenDictionary<string, BodyModel> All { get; } = new Dictionary<string, BodyModel>(StringComparer.Ordinal)
    {
        ["create_user"] = new(
            [new("name", FieldType.Text, Required: true), new("displayName", FieldType.Text), new("email", FieldType.Text),
                new("pictureUrl", FieldType.Text)]),

        // Without an expiration Headscale stores a key that has already expired (headscale #1579).
        ["create_preauthkey"] = new(
        [
            new("user", FieldType.Id), new("reusable", FieldType.Flag), new("ephemeral", FieldType.Flag),
            new("expiration", FieldType.Time, Required: true), new("aclTags", FieldType.List),
        ]),
        ["expire_preauthkey"] = new(
        [
            new("user", FieldType.Id, Required: true, Until: 27), new(
                "key", FieldType.Text, Required: true, Until: 27), new("id", FieldType.Id, Required: true, Since: 28),
        ]),
        ["set_tags"] = new([new("tags", FieldType.List, Required: true)]),
        ["approve_routes"] = new([new("routes", FieldType.List, Required: true)]),
        ["move_node"] = new([new("user", FieldType.Id, Required: true)]),
        ["expire_node"] = new([new("expiry", FieldType.Time, Since: 30), new("disableExpiry", FieldType.Flag, Since: 30)], Optional: true),
        ["debug_create_node"] = new(
            [new("user", FieldType.Text), new("key", FieldType.Text), new("name", FieldType.Text), new("routes", FieldType.List)]),
        ["auth_register"] = new([new("user", FieldType.Text, Required: true), new("authId", FieldType.Text, Required: true)]),
        ["auth_id"] = new([new("authId", FieldType.Text, Required: true)]),
        ["create_apikey"] = new([new("expiration", FieldType.Time, Required: true)]),
        ["expire_apikey"] = new([new("prefix", FieldType.Text), new("id", FieldType.Id, Since: 28)]),
        ["policy"] = new([new("policy", FieldType.Text, Required: true)], Limit: PolicyLimit),

        // /api/v2 of 0.30.
        ["authorize_device"] = new([new("authorized", FieldType.Flag, Required: true)]),
        ["rename_device"] = new([new("name", FieldType.Text, Required: true)]),
        ["set_device_key"] = new([new("keyExpiryDisabled", FieldType.Flag, Required: true)]),
        ["create_tailnet_key"] = new(
        [
            new("keyType", FieldType.Text) { OneOf = ["auth", "client"] },
            new("capabilities.devices.create.reusable", FieldType.Flag), new("capabilities.devices.create.ephemeral", FieldType.Flag),
            new(
                "capabilities.devices.create.preauthorized",
                FieldType.Flag), new("capabilities.devices.create.tags", FieldType.List) { TakesNull = true },
            new(
                "expirySeconds",
                FieldType.Number), new(
                    "description",
                    FieldType.Text), new("scopes", FieldType.List) { TakesNull = true }, new("tags", FieldType.List) { TakesNull = true },
        ]),
        ["set_device_tags"] = new([new("tags", FieldType.List, Required: true) { TakesNull = true }]),
        ["policy_document"] = new([], Limit: PolicyLimit) { IsDocument = true },
        ["tailnet_settings"] = new(
        [
            new(
                "aclsExternallyManagedOn",
                FieldType.Flag), new("aclsExternalLink", FieldType.Text), new("devicesApprovalOn", FieldType.Flag),
            new("devicesAutoUpdatesOn", FieldType.Flag), new(
                "devicesKeyDurationDays", FieldType.Number), new("usersApprovalOn", FieldType.Flag),
            new(
                "usersRoleAllowedToJoinExternalTailnets",
                FieldType.Text), new("networkFlowLoggingOn", FieldType.Flag), new("regionalRoutingOn", FieldType.Flag),
            new("postureIdentityCollectionOn", FieldType.Flag), new("httpsEnabled", FieldType.Flag),
        ]),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static FrozenSet<string> Names { get; } = All.Keys.ToFrozenSet(StringComparer.Ordinal);
}
