using Dapper;
using Gateway.Identity;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Store;

/// <summary>Files that are not what they should be are refused in words, and stay as they are.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "headtower.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFileThatIsNoDatabaseIsNotTouched()
    {
        _folder.File("headtower.db", new string('x', 8192));

        Assert.Contains("restore", Assert.Throws<StoreException>(() => SqliteFile.Open(File)).Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 8192), System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void ADamagedDatabaseIsRefusedWithTheWayOut()
    {
        Fill();
        var bytes = System.IO.File.ReadAllBytes(File);
        for (var at = 4096; at < bytes.Length; at += 4096)
        {
            bytes.AsSpan(at, 512).Fill(0xAA);
        }

        System.IO.File.WriteAllBytes(File, bytes);

        Assert.Contains("gateway restore", Assert.Throws<StoreException>(() => SqliteFile.Open(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AStoreOfANewerGatewayIsRefused()
    {
        Fill();
        Execute(File, "pragma user_version = 999");

        Assert.Contains("newer gateway", Assert.Throws<StoreException>(() => SqliteFile.Open(File)).Message, StringComparison.Ordinal);
        Assert.Contains("newer gateway", Assert.Throws<StoreException>(() => SqliteFile.Inspect(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADatabaseOfAnotherProgramIsRefused()
    {
        Execute(File, "create table theirs (x)");

        Assert.Contains("some other program", Assert.Throws<StoreException>(() => SqliteFile.Open(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsNamed()
    {
        _folder.File("plain", "");

        Assert.Contains("server.data_path", Assert.Throws<StoreException>(() => SqliteFile.Open(Path.Combine(_folder.Path, "plain", "headtower.db"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEmptyFileBecomesAStore()
    {
        _folder.File("headtower.db", "");
        Fill();
        Assert.True(SqliteFile.Inspect(File));
    }

    [Fact]
    public void WhatIsInspectedIsNotMade()
    {
        Assert.False(SqliteFile.Inspect(File));
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task OfManyWhoOpenANewStoreAtOnceOneMigratesAndAllGetIt()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => SqliteFile.Open(File).Path)));
        Assert.Equal(16, opened.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ABackupBringsEveryoneBackAlsoWhenTheStoreIsDamaged(bool damaged)
    {
        Fill();
        var backup = Path.Combine(_folder.Path, "backup.db");
        SqliteFile.Open(File).BackupTo(backup);
        People().Remove(1);
        SqliteConnection.ClearAllPools();
        if (damaged)
        {
            System.IO.File.WriteAllText(File, "no database at all");
        }

        var (aside, wasDamaged) = SqliteFile.Restore(File, backup, TimeProvider.System);

        Assert.Equal(damaged, wasDamaged);
        Assert.Equal("ann", Assert.Single(People().List().People).Subject);
        Assert.True(System.IO.File.Exists(aside));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(backup));
        }
    }

    [Theory]
    [InlineData("not a database")]
    [InlineData(null)]
    public void WhatIsNoBackupIsNotRestored(string? content)
    {
        Fill();
        var backup = content is null ? Path.Combine(_folder.Path, "foreign.db") : _folder.File("backup.db", content);
        if (content is null)
        {
            Execute(backup, "create table theirs (x)");
        }

        Assert.Throws<StoreException>(() => SqliteFile.Restore(File, backup, TimeProvider.System));
        Assert.Equal("ann", Assert.Single(People().List().People).Subject);
    }

    private SqlitePersonStore People() => new(SqliteFile.Open(File), TimeProvider.System);

    private void Fill()
    {
        People().Admit(new NewPerson(Source.Proxy, "", "ann", null, null, null, "viewer"), OwnerRule.Never);
        SqliteConnection.ClearAllPools();
    }

    private static void Execute(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Execute(sql);
    }
}
