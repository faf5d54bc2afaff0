using System.Globalization;

namespace Gateway.Headscale;

/// <summary>A minor version of Headscale 0.x, which is what its behaviour depends on.</summary>
/// <param name="Minor">26 for 0.26.</param>
internal readonly record struct HeadscaleVersion(int Minor)
{
    public static HeadscaleVersion Oldest { get; } = new(26);

    public static HeadscaleVersion Newest { get; } = new(30);

    /// <summary>How this version writes errors.</summary>
    public ErrorStyle ErrorStyle => Minor >= 30 ? ErrorStyle.Problem : ErrorStyle.GrpcStatus;

    /// <summary>Since 0.28 a node is owned by a user or tagged, never both, and pre-auth keys have ids.</summary>
    public bool HasTagOwnership => Minor >= 28;

    /// <summary>Since 0.29 devices are registered by an operation of their own, and a policy can be checked without setting it.</summary>
    public bool HasAuthRegister => Minor >= 29;

    /// <summary>Up to 0.29 every member of a body has a second name, the one in the .proto file, such as display_name.</summary>
    public bool TakesProtoNames => Minor <= 29;

    public bool IsKnown => Minor >= Oldest.Minor && Minor <= Newest.Minor;

    /// <summary>What to treat this version as: the nearest one that is known.</summary>
    public HeadscaleVersion Known => new(Math.Clamp(Minor, Oldest.Minor, Newest.Minor));

    /// <summary>Reads <c>v0.29.2</c>, <c>0.28.0-beta.1</c> or <c>0.27</c>. Null for anything else, such as "dev".</summary>
    public static HeadscaleVersion? Parse(string text)
    {
        var parts = text.TrimStart('v').Split('.', '-', '+');
        return parts is ["0", var minor, ..] && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(number)
            : null;
    }

    public override string ToString() => $"0.{Minor}";
}
