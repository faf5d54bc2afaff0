using System.Security.Cryptography;
using System.Text;

namespace Gateway.Settings;

/// <summary>A value that never shows itself: logs, dumps and messages get asterisks.</summary>
internal sealed class Secret(string value)
{
    private string? _bearer;

    public bool IsEmpty => value.Length == 0;

    /// <summary>The value, for the one place that needs it.</summary>
    public string Reveal() => value;

    /// <summary>The value as the Authorization header has it (RFC 6750 2.1).</summary>
    public string RevealAsBearer() => _bearer ??= $"Bearer {value}";

    /// <summary>Compares without giving away how much of it was right.</summary>
    public bool Matches(string other) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(value)), SHA256.HashData(Encoding.UTF8.GetBytes(other)));

    /// <summary>Two of the same value are the same, so that a reload can tell what changed.</summary>
    public override bool Equals(object? obj) => obj is Secret other && Matches(other.Reveal());

    public override int GetHashCode() => value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => "***";
}
