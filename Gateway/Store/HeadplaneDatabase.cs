using Dapper;
using Gateway.Settings;
using Microsoft.Data.Sqlite;

namespace Gateway.Store;

/// <summary>A person as Headplane stored them.</summary>
/// <param name="Subject">The provider's subject, or <c>proxy:NAME</c>: Headplane keeps no issuer.</param>
/// <param name="Role">The name of the role.</param>
/// <param name="Name">What they are called.</param>
/// <param name="Email">Their address, which nobody may have verified.</param>
/// <param name="HeadscaleUserId">The Headscale user that they were linked to.</param>
internal sealed record HeadplanePerson(string Subject, string Role, string? Name, string? Email, string? HeadscaleUserId);

/// <summary>Reads what Headplane keeps (<c>hp_persist.db</c>, 0.6 and later). Nothing is changed.</summary>
internal static class HeadplaneDatabase
{
    /// <exception cref="StoreException">It is not there, not Headplane's, or too old.</exception>
    public static IReadOnlyList<HeadplanePerson> Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new StoreException($"{path}: there is no such file; Headplane keeps it as hp_persist.db in its server.data_path");
        }

        try
        {
            using var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            var columns = connection.Query<string>("select name from pragma_table_info('users')").ToHashSet(StringComparer.Ordinal);
            if (columns.IsSupersetOf(["sub", "caps"]) && !columns.Contains("role"))
            {
                return [.. connection.Query<(string Sub, long Caps)>("select sub, caps from users order by id")
                    .Select(one => new HeadplanePerson(one.Sub, RoleOf(one.Caps), null, null, null))];
            }

            if (!columns.IsSupersetOf(["sub", "role", "headscale_user_id", "name", "email"]))
            {
                throw new StoreException(columns.Count == 0
                    ? $"{path} is not Headplane's database: it has no table of users"
                    : $"{path} is of a Headplane before 0.6; start a newer Headplane once on a copy of it, which brings it up to date");
            }

            return [.. connection.Query<HeadplanePerson>("select sub Subject, role Role, name Name, email Email, headscale_user_id "
                + "HeadscaleUserId from users order by created_at, id")];
        }
        catch (SqliteException e)
        {
            throw new StoreException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Before 0.6.2 a role was a set of bits; each role had one of its own.</summary>
    private static string RoleOf(long capabilities) => capabilities switch
    {
        65535 => "owner",
        32767 => "admin",
        30015 => "network_admin",
        8171 => "it_admin",
        1323 => "auditor",
        _ => Policy.Role.MemberName,
    };
}
