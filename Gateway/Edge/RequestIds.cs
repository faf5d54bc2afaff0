using System.Security.Cryptography;

namespace Gateway.Edge;

/// <summary>Makes the references of requests: 64 random bits in hex, fetched from the system many at a time.</summary>
internal static class RequestIds
{
    private const int Bytes = 8;

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _used;

    /// <summary>A reference that nobody can foresee.</summary>
    public static string Next()
    {
        var random = _random ??= new byte[Bytes * 64];
        if (_used == 0)
        {
            RandomNumberGenerator.Fill(random);
        }

        var id = Convert.ToHexStringLower(random, _used, Bytes);
        _used = (_used + Bytes) % random.Length;
        return id;
    }
}
