using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;

namespace Gateway.Edge;

/// <summary>
/// Tells a request that has passed this process before: where <c>headscale.url</c> leads back here, each request would be
/// forwarded for ever (RFC 9110 7.6.3: a recipient can detect loops by the names in Via).
/// </summary>
internal static class LoopMark
{
    /// <summary>The header that carries the mark.</summary>
    public const string Header = "Via";

    private static readonly string _name = "headtower-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    /// <summary>What this process adds to the header of everything that it sends to Headscale.</summary>
    public static string Value { get; } = "1.1 " + _name;

    /// <summary>Whether a request came from this process.</summary>
    public static bool IsOn(StringValues via)
    {
        foreach (var line in via)
        {
            if (line is not null && line.Contains(_name, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
