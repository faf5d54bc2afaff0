using System.Runtime.InteropServices;
using Gateway.Settings;
using SQLitePCL;

namespace Gateway.Store;

/// <summary>Binds to the operating system's SQLite: it gets security updates, a bundled one would not.</summary>
internal static class SqliteLibrary
{
    /// <summary>3.37 brought STRICT tables.</summary>
    private const int OldestVersion = 3_037_000;

    private static readonly Lazy<string?> _trouble = new(Load);

    /// <exception cref="StoreException">The library is missing or too old.</exception>
    public static void Require()
    {
        if (_trouble.Value is { } trouble)
        {
            throw new StoreException(trouble);
        }
    }

    private static string? Load()
    {
        if (!Array.Exists(["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib", "winsqlite3.dll"], name => NativeLibrary.TryLoad(name, out _)))
        {
            return "SQLite is not installed; install the package libsqlite3-0 (Debian, Ubuntu) or sqlite-libs (Alpine, Fedora)";
        }

        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (name, _, _) => name == "e_sqlite3" ? Find() : IntPtr.Zero);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return raw.sqlite3_libversion_number() < OldestVersion ? $"SQLite {raw.sqlite3_libversion().utf8_to_string()} is too old; 3.37 or later is needed" : null;
    }

    private static IntPtr Find()
    {
        foreach (var name in (ReadOnlySpan<string>)["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib", "winsqlite3.dll"])
        {
            if (NativeLibrary.TryLoad(name, out var handle))
            {
                return handle;
            }
        }

        return IntPtr.Zero;
    }
}
